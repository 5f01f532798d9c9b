import type { FlovynClientOptions } from '../client/options.js';
import { systemClock } from '../runtime/clock.js';
import { createTransport } from '../transport/create.js';
import { EmbeddedTransport } from '../transport/embedded.js';
import type { Transport } from '../transport/transport.js';
import type { HarnessConfig, TestEnvironmentOptions } from './options.js';
import { TimeSkipper } from './time-skipper.js';
import { VirtualClock } from './virtual-clock.js';

/** Where the executions of a started environment live. */
export interface Place {
  /** What a client of it is made with. */
  readonly connection: FlovynClientOptions;
  /** For calls that a client does not make. */
  readonly transport: Transport;
  /** Only with virtual time. */
  readonly virtual?: { readonly clock: VirtualClock; readonly skipper: TimeSkipper } | undefined;
  /** After its clients have stopped. */
  close(): Promise<void>;
}

/** An engine in this process. */
export function embeddedPlace(orgId: string, options: TestEnvironmentOptions): Place {
  const { logger } = options;
  if (options.time !== 'virtual') {
    const transport = new EmbeddedTransport({ orgId, logger });
    return { connection: { transport, orgId }, transport, close: () => transport.close() };
  }
  const clock = new VirtualClock((options.startTime ?? new Date(systemClock.nowMs())).getTime());
  const skipper: TimeSkipper = new TimeSkipper(clock, () => transport);
  const onParked = (method: string): void => skipper.parked(method);
  const transport = new EmbeddedTransport({ orgId, clock, logger, onParked });
  return {
    connection: { transport, orgId, clock },
    transport,
    virtual: { clock, skipper },
    close: () => transport.close(),
  };
}

/** A server. */
export function serverPlace(config: HarnessConfig): Place {
  const { grpcHost, grpcPort, httpHost, httpPort, orgId, orgSlug } = config;
  const serverUrl = `http://${grpcHost}:${grpcPort}`;
  const [apiKey, workerToken] = [config.apiKey || undefined, config.workerToken || undefined];
  const transport = createTransport({ serverUrl, token: apiKey ?? workerToken });
  const httpUrl = `http://${httpHost}:${httpPort}`;
  return {
    connection: { serverUrl, httpUrl, orgId, orgSlug, apiKey, workerToken },
    transport,
    close: () => transport.close(),
  };
}
