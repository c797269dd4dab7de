import type { IdempotencyMark } from '../../actors/allocator/event.ts';
import type { IdempotencyKey } from '../../actors/allocator/ids.ts';
import type { CatalogService } from '../../actors/runtime/allocator-service.ts';
import { Problem } from '../answer/problem.ts';
import { jsonReply } from '../answer/reply.ts';
import { fingerprintOfCreation } from '../input/idempotency-fingerprint.ts';
import type { Answer } from '../routes/route.ts';

/**
 * A creation on the admin port, once a key: the same request under the same key is answered with what the
 * first has made.
 */
export async function answerCreation(catalog: CatalogService, creation: Creation): Promise<Answer> {
  const { key, kind, body, create, show } = creation;
  if (key === undefined) return jsonReply(201, show(await create(undefined)));
  const mark = { key, fingerprint: fingerprintOfCreation(kind, body) };
  const created = await catalog.createOnce(mark, () => create(mark));
  if (created === 'key-reused') {
    return new Problem('idempotency-key-reused', 'The key was used for another creation.');
  }
  const replayed = created.replayed ? ['Idempotency-Replayed', 'true'] : [];
  return jsonReply(201, show(created.id), replayed);
}

interface Creation {
  readonly key: IdempotencyKey | undefined;
  readonly kind: 'venue' | 'performance' | 'schedule';
  readonly body: unknown;
  readonly create: (mark: IdempotencyMark | undefined) => Promise<number>;
  /** The body of the answer. */
  readonly show: (id: number) => object;
}
