import {
  emptyClusterRecordsData,
  MemoryClusterRecords,
} from '../../src/persistence/memory/memory-cluster-records.ts';
import { clusterRecordsContract } from './cluster-records-contract.ts';

clusterRecordsContract('cluster records in memory', () => {
  const data = emptyClusterRecordsData();
  return {
    open: async () => [new MemoryClusterRecords(data), new MemoryClusterRecords(data)],
    dispose: async () => {},
  };
});
