/** What headers of answers mean, where more than one route has them. */
export const replayHeader = { 'Idempotency-Replayed': '`true` when this is the first success again' };

export const cacheHeaders = { ETag: 'Of this state', 'Cache-Control': 'How long it may be kept' };
