import type { PayloadCodec } from '../codec.js';
import { ConfigurationError } from '../errors.js';
import { harmless } from '../harmless-logger.js';
import { consoleLogger, type Logger } from '../logger.js';
import { checkOptions, comingLater } from '../options.js';
import { type Clock, systemClock } from '../runtime/clock.js';
import { JsonSerializer, type Serializer } from '../serde.js';
import { EMBEDDED_ORG_ID, EmbeddedTransport } from '../transport/embedded.js';
import { GrpcWebTransport } from '../transport/grpc-web.js';
import { parseServerUrl } from '../transport/grpc-web-request.js';
import { PlainTransport } from '../transport/plain.js';
import type { Transport } from '../transport/transport.js';
import {
  checkTaskWorkerOptions,
  checkWorkflowWorkerOptions,
  type TaskWorkerOptions,
  type WorkflowWorkerOptions,
} from '../worker/options.js';
import type { FlovynClientOptions } from './options.js';

/** Options with every default filled in. */
export interface ClientSettings {
  readonly orgId: string;
  readonly queue: string;
  readonly logger: Logger;
  readonly serializer: Serializer;
  readonly codec: PayloadCodec | undefined;
  readonly clock: Clock;
  readonly shutdownGraceMs: number;
  readonly workflowWorkerOptions: WorkflowWorkerOptions;
  readonly taskWorkerOptions: TaskWorkerOptions;
  /** Opens the way to the server. */
  readonly connect: () => Connection;
}

/** The way to the server: what workers use, and what everything else uses, which may be the same. */
export interface Connection {
  readonly calls: Transport;
  readonly worker: Transport;
  /** Closes what was opened for this client. */
  close(): Promise<void>;
}

const KNOWN = [
  'serverUrl',
  'embedded',
  'transport',
  'extensions',
  'orgId',
  'queue',
  'workerToken',
  'apiKey',
  'fetch',
  'headers',
  'logger',
  'workflowWorkerOptions',
  'taskWorkerOptions',
  'shutdownGraceMs',
  'codec',
  'clock',
];
const LATER = {
  httpUrl: 'calls over REST, which nothing needs yet',
  orgSlug: 'calls over REST, which nothing needs yet',
};

const DEFAULT_GRACE_MS = 10_000;
/** Stands for the organisation of the key. */
const NIL_UUID = '00000000-0000-0000-0000-000000000000';

/** Checks options and fills in the defaults. Throws `ConfigurationError`; nothing is sent. */
export function clientSettings(options: FlovynClientOptions): ClientSettings {
  checkOptions('FlovynClient', options, KNOWN, LATER);
  checkPlace(options);
  checkBoolean('extensions', options.extensions);
  const { workflowWorkerOptions = {}, taskWorkerOptions = {}, shutdownGraceMs = DEFAULT_GRACE_MS } = options;
  checkWorkflowWorkerOptions(workflowWorkerOptions);
  checkTaskWorkerOptions(taskWorkerOptions);
  if (!(shutdownGraceMs >= 0)) {
    throw new ConfigurationError(
      `shutdownGraceMs must be a number of milliseconds from 0 up, got ${shutdownGraceMs}`,
    );
  }
  return {
    orgId: options.orgId ?? (options.embedded === true ? EMBEDDED_ORG_ID : NIL_UUID),
    queue: options.queue ?? 'default',
    logger: harmless(options.logger ?? consoleLogger()),
    serializer: new JsonSerializer(),
    codec: options.codec,
    clock: options.clock ?? systemClock,
    shutdownGraceMs,
    workflowWorkerOptions,
    taskWorkerOptions,
    connect: () => (options.extensions === false ? plain(connect(options)) : connect(options)),
  };
}

function checkBoolean(option: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean')
    throw new ConfigurationError(
      `FlovynClient: ${option} must be true or false, got ${JSON.stringify(value)}`,
    );
}

function checkPlace(options: FlovynClientOptions): void {
  const { serverUrl, embedded, transport } = options;
  if (typeof embedded === 'object')
    throw comingLater('An embedded server that keeps its data', 'persistent embedded mode');
  if (serverUrl !== undefined) parseServerUrl(serverUrl);
  const places = [serverUrl !== undefined, embedded === true, transport !== undefined].filter(Boolean).length;
  if (places !== 1) {
    throw new ConfigurationError(
      `FlovynClient needs exactly one of serverUrl, embedded: true and transport, got ${places === 0 ? 'none' : places} of them`,
    );
  }
  for (const option of ['fetch', 'headers', 'apiKey', 'workerToken'] as const) {
    if (serverUrl === undefined && options[option] !== undefined) {
      throw new ConfigurationError(`FlovynClient: "${option}" has an effect only together with serverUrl`);
    }
  }
}

function connect(options: FlovynClientOptions): Connection {
  const { transport, serverUrl, orgId, clock, logger } = options;
  if (transport !== undefined) return { calls: transport, worker: transport, close: async () => {} };
  if (serverUrl === undefined) return shared(new EmbeddedTransport({ orgId, clock, logger }));
  const { apiKey, workerToken, fetch, headers } = options;
  const open = (token: string | undefined): Transport =>
    new GrpcWebTransport({ serverUrl, token, fetch, headers });
  const calls = open(apiKey ?? workerToken);
  if (apiKey === undefined || workerToken === undefined || apiKey === workerToken) return shared(calls);
  const worker = open(workerToken);
  return { calls, worker, close: async () => void (await Promise.all([calls.close(), worker.close()])) };
}

function plain(connection: Connection): Connection {
  const [calls, worker] = [new PlainTransport(connection.calls), new PlainTransport(connection.worker)];
  return { calls, worker, close: () => connection.close() };
}

function shared(transport: Transport): Connection {
  return { calls: transport, worker: transport, close: () => transport.close() };
}
