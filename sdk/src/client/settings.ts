import type { PayloadCodec } from '../codec.js';
import { ConfigurationError } from '../errors.js';
import { harmless } from '../harmless-logger.js';
import { consoleLogger, type Logger } from '../logger.js';
import { checkOptions, comingLater } from '../options.js';
import { type Clock, systemClock } from '../runtime/clock.js';
import { checkShutdownSignals } from '../runtime/process-signals.js';
import { JsonSerializer, type Serializer } from '../serde.js';
import { checkSerializer, trusted } from '../serde/choose.js';
import {
  checkTransportOptions,
  createTransport,
  type TransportKind,
  type TransportOptions,
} from '../transport/create.js';
import { EMBEDDED_ORG_ID, EmbeddedTransport } from '../transport/embedded.js';
import { checkFetch } from '../transport/fetch-carrier.js';
import { parseServerUrl } from '../transport/grpc-request.js';
import { PlainTransport } from '../transport/plain.js';
import type { Transport } from '../transport/transport.js';
import {
  checkTaskWorkerOptions,
  checkWorkflowWorkerOptions,
  type TaskWorkerOptions,
  type WorkflowWorkerOptions,
} from '../worker/options.js';
import { workflowHooks, type WorkflowHook } from '../worker/hooks.js';
import type { FlovynClientOptions, FlovynWorkerOptions } from './options.js';
import { RestCalls } from './rest.js';

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
  /** Whether our extensions are used where the server has them. */
  readonly extensions: boolean;
  readonly hooks: readonly WorkflowHook[];
  readonly handleSignals: boolean;
  /** The way to the server's REST interface, if one was named. */
  readonly rest: RestCalls | undefined;
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
  'tls',
  'extensions',
  'orgId',
  'httpUrl',
  'orgSlug',
  'queue',
  'workerToken',
  'apiKey',
  'fetch',
  'headers',
  'serializer',
  'logger',
  'workflowWorkerOptions',
  'taskWorkerOptions',
  'shutdownGraceMs',
  'hooks',
  'handleSignals',
  'codec',
  'clock',
];

/** What only calls of a client need. */
const ONLY_OF_CLIENTS = ['embedded', 'apiKey', 'httpUrl', 'orgSlug'];

/** What a client without an address cannot use. */
const ONLY_WITH_SERVER_URL = [
  'transport',
  'tls',
  'fetch',
  'headers',
  'apiKey',
  'workerToken',
  'httpUrl',
  'orgSlug',
] as const;

const DEFAULT_GRACE_MS = 10_000;
/** Stands for the organisation of the key. */
const NIL_UUID = '00000000-0000-0000-0000-000000000000';

/** Checks options and fills in the defaults. Throws `ConfigurationError`; nothing is sent. */
export function clientSettings(options: FlovynClientOptions): ClientSettings {
  checkOptions('FlovynClient', options, KNOWN);
  return settings('FlovynClient', options);
}

/** As `clientSettings`, for the options of a worker apart from its definitions. */
export function workerSettings({
  workflows: _workflows,
  tasks: _tasks,
  ...options
}: FlovynWorkerOptions): ClientSettings {
  if ('embedded' in options)
    throw new ConfigurationError(
      'Worker: an embedded server of its own would have no clients: give the same EmbeddedTransport as "transport" to ' +
        'the worker and to a client',
    );
  const known = KNOWN.filter((option) => !ONLY_OF_CLIENTS.includes(option));
  checkOptions('Worker', options, [...known, 'workflows', 'tasks']);
  return settings('Worker', options);
}

function settings(what: string, options: FlovynClientOptions): ClientSettings {
  checkPlace(what, options);
  checkBoolean(what, 'extensions', options.extensions);
  checkBoolean(what, 'handleSignals', options.handleSignals);
  if (options.handleSignals === true) checkShutdownSignals();
  const { workflowWorkerOptions = {}, taskWorkerOptions = {}, shutdownGraceMs = DEFAULT_GRACE_MS } = options;
  checkWorkflowWorkerOptions(workflowWorkerOptions);
  checkTaskWorkerOptions(taskWorkerOptions);
  checkSerializer(`${what}: serializer`, options.serializer);
  if (!(shutdownGraceMs >= 0)) {
    throw new ConfigurationError(
      `shutdownGraceMs must be a number of milliseconds from 0 up, got ${shutdownGraceMs}`,
    );
  }
  return {
    orgId: options.orgId ?? (options.embedded === true ? EMBEDDED_ORG_ID : NIL_UUID),
    queue: options.queue ?? 'default',
    logger: harmless(options.logger ?? consoleLogger()),
    serializer: trusted(options.serializer ?? new JsonSerializer()),
    codec: options.codec,
    clock: options.clock ?? systemClock,
    shutdownGraceMs,
    workflowWorkerOptions,
    taskWorkerOptions,
    extensions: options.extensions !== false,
    hooks: workflowHooks(what, options.hooks),
    handleSignals: options.handleSignals === true,
    rest: restCalls(options),
    connect: () => (options.extensions === false ? plain(connect(options)) : connect(options)),
  };
}

function checkBoolean(what: string, option: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean')
    throw new ConfigurationError(`${what}: ${option} must be true or false, got ${JSON.stringify(value)}`);
}

function checkPlace(what: string, options: FlovynClientOptions): void {
  const { serverUrl, embedded, transport } = options;
  if (typeof embedded === 'object')
    throw comingLater('An embedded server that keeps its data', 'persistent embedded mode');
  const injected = injectedTransport(what, transport);
  const places = [serverUrl !== undefined, embedded === true, injected !== undefined].filter(Boolean).length;
  if (places !== 1) {
    throw new ConfigurationError(
      `${what} needs exactly one of ${what === 'Worker' ? 'serverUrl and transport' : 'serverUrl, embedded: true and transport'}, got ${places === 0 ? 'none' : places} of them`,
    );
  }
  if (serverUrl !== undefined) {
    for (const token of [options.apiKey, options.workerToken])
      checkTransportOptions(networkOptions(serverUrl, options, token));
    return;
  }
  for (const option of ONLY_WITH_SERVER_URL) {
    if (options[option] !== undefined && options[option] !== injected)
      throw new ConfigurationError(`${what}: "${option}" has an effect only together with serverUrl`);
  }
}

/** A transport that is given, not named. Whatever else was given is refused with the names. */
function injectedTransport(what: string, transport: FlovynClientOptions['transport']): Transport | undefined {
  const calls = ['unary', 'serverStream', 'close'] as const;
  if (typeof transport !== 'object' || transport === null) return undefined;
  const missing = calls.find((call) => typeof transport[call] !== 'function');
  if (missing === undefined) return transport;
  throw new ConfigurationError(
    `${what}: the transport has no "${missing}": expected an object with ${calls.join(', ')}`,
  );
}

function connect(options: FlovynClientOptions): Connection {
  const { serverUrl, orgId, clock, logger } = options;
  const injected = injectedTransport('FlovynClient', options.transport);
  if (injected !== undefined) return { calls: injected, worker: injected, close: async () => {} };
  if (serverUrl === undefined) return shared(new EmbeddedTransport({ orgId, clock, logger }));
  const open = (token: string | undefined): Transport =>
    createTransport(networkOptions(serverUrl, options, token));
  const { apiKey, workerToken } = options;
  const calls = open(apiKey ?? workerToken);
  if (apiKey === undefined || workerToken === undefined || apiKey === workerToken) return shared(calls);
  const worker = open(workerToken);
  return { calls, worker, close: async () => void (await Promise.all([calls.close(), worker.close()])) };
}

function restCalls(options: FlovynClientOptions): RestCalls | undefined {
  const { httpUrl, orgSlug, orgId, apiKey, workerToken, fetch, headers, clock = systemClock } = options;
  if (httpUrl === undefined) return undefined;
  const org = orgSlug ?? orgId;
  if (org === undefined)
    throw new ConfigurationError('FlovynClient: httpUrl needs orgSlug or orgId, which are in its addresses');
  checkFetch(fetch);
  const token = apiKey ?? workerToken;
  return new RestCalls({ httpUrl: parseServerUrl(httpUrl, 'httpUrl'), org, token, fetch, headers, clock });
}

function plain(connection: Connection): Connection {
  const [calls, worker] = [new PlainTransport(connection.calls), new PlainTransport(connection.worker)];
  return { calls, worker, close: () => connection.close() };
}

function networkOptions(
  serverUrl: string,
  { transport, tls, fetch, headers }: FlovynClientOptions,
  token: string | undefined,
): TransportOptions {
  // Anything else than the name of a kind is refused by its check.
  return { serverUrl, transport: transport as TransportKind | undefined, tls, fetch, headers, token };
}

function shared(transport: Transport): Connection {
  return { calls: transport, worker: transport, close: () => transport.close() };
}
