import type { PayloadCodec } from '../codec.js';
import type { Logger } from '../logger.js';
import type { Clock } from '../runtime/clock.js';
import type { Serializer } from '../serde.js';
import type { Transport } from '../transport/transport.js';

/** What the workers of a client share. */
export interface WorkerParts {
  readonly transport: Transport;
  readonly orgId: string;
  readonly queue: string;
  readonly serializer: Serializer;
  readonly codec: PayloadCodec | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The id that the server gave, which changes when the worker registers anew. */
  readonly workerId: () => string;
}

/** How long one poll waits on the server. */
export const POLL_SECONDS = 30;
