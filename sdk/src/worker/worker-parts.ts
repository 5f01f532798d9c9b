import type { PayloadCodec } from '../codec.js';
import type { Logger } from '../logger.js';
import type { Clock } from '../runtime/clock.js';
import type { Serializer } from '../serde.js';
import type { Transport } from '../transport/transport.js';
import type { PollWatcher } from './poll-loop.js';
import type { Reporter } from './reporter.js';

/** What the two halves of a worker, for workflows and for tasks, share. */
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
  readonly reporter: Reporter;
  readonly watcher: PollWatcher;
}
