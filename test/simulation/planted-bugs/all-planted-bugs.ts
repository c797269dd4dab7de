import { commitBugs } from './commit-bugs.ts';
import { coordinationBugs } from './coordination-bugs.ts';
import { decisionBugs } from './decision-bugs.ts';
import { gateBugs } from './gate-bugs.ts';
import { handoverBugs } from './handover-bugs.ts';
import { idempotencyBugs } from './idempotency-bugs.ts';
import { paymentBugs } from './payment-bugs.ts';
import type { PlantedBug } from './planted-bug.ts';
import { recoveryBugs } from './recovery-bugs.ts';
import { routingBugs } from './routing-bugs.ts';
import { timeBugs } from './time-bugs.ts';

export const allPlantedBugs: readonly PlantedBug[] = [
  ...gateBugs,
  ...commitBugs,
  ...recoveryBugs,
  ...timeBugs,
  ...idempotencyBugs,
  ...decisionBugs,
  ...paymentBugs,
  ...handoverBugs,
  ...routingBugs,
  ...coordinationBugs,
];
