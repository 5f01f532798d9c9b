import type { Duration } from '../duration.js';
import { ConfigurationError } from '../errors.js';
import type { Logger } from '../logger.js';
import { checkOptions } from '../options.js';
import type { Serializer } from '../serde.js';
import type { TaskWorkerOptions, WorkflowWorkerOptions } from '../worker/options.js';

/** Where a server is that tests use, and the keys for it: what a started `TestHarness` has. */
export interface HarnessConfig {
  /** Host of the gRPC interface. */
  readonly grpcHost: string;
  /** Port of the gRPC interface. */
  readonly grpcPort: number;
  /** Host of the REST interface. */
  readonly httpHost: string;
  /** Port of the REST interface. */
  readonly httpPort: number;
  /** Id of the organisation, a UUID. */
  readonly orgId: string;
  /** Slug of the organisation. */
  readonly orgSlug: string;
  /** The key of clients; empty where none is needed. */
  readonly apiKey: string;
  /** The key of workers; empty where none is needed. */
  readonly workerToken: string;
}

/** What a `FlovynTestEnvironment` is made with. */
export interface TestEnvironmentOptions {
  /**
   * `real`: time passes as on the machine. `virtual`: time stands still, and is skipped while the test waits and nothing
   * else can happen; only on the engine in this process. Default: `real`.
   */
  readonly time?: 'real' | 'virtual' | undefined;
  /** When virtual time begins. Default: now. */
  readonly startTime?: Date | undefined;
  /**
   * The server to use, such as a started `TestHarness`. `false`: the engine in this process, whatever is configured.
   * Default: the one that `FLOVYN_TEST_SERVER_URL` or vitest's `inject('harnessConfig')` names, else the engine in this
   * process; with virtual time always the engine.
   */
  readonly server?: HarnessConfig | false | undefined;
  /** The queue of workers and executions. Default: `test-` and 8 random hexadecimal digits. */
  readonly queue?: string | undefined;
  /**
   * Whether `awaitCompletion` and `startAndAwait` re-execute the workflow from every prefix of its history, if that has
   * fewer than 500 events, and reject when the code does not do the same again. Default: true.
   */
  readonly checkEveryPrefix?: boolean | undefined;
  /** As of `FlovynClient`. */
  readonly serializer?: Serializer | undefined;
  /** Default: the console, warnings and errors only. */
  readonly logger?: Logger | undefined;
  /** As of `FlovynClient`. */
  readonly workflowWorkerOptions?: WorkflowWorkerOptions | undefined;
  /** As of `FlovynClient`. */
  readonly taskWorkerOptions?: TaskWorkerOptions | undefined;
}

/** Options of `startWorkflow` of a test environment. */
export interface TestStartOptions {
  /** As of `FlovynClient.startWorkflow`. */
  readonly idempotencyKey?: string | undefined;
}

/** Options of `startAndAwait` of a test environment. */
export interface TestAwaitOptions extends TestStartOptions {
  /** How long to wait for the result, in the time of the machine. Default: 30 s. */
  readonly timeout?: Duration | undefined;
}

const KNOWN = [
  'time',
  'startTime',
  'server',
  'queue',
  'checkEveryPrefix',
  'serializer',
  'logger',
  'workflowWorkerOptions',
  'taskWorkerOptions',
];

/** Throws `ConfigurationError` for options that cannot be meant. */
export function checkEnvironmentOptions(options: TestEnvironmentOptions): void {
  checkOptions('FlovynTestEnvironment', options, KNOWN);
  const { time, startTime, server, checkEveryPrefix } = options;
  if (time !== undefined && time !== 'real' && time !== 'virtual')
    throw refused('time must be "real" or "virtual"', time);
  if (startTime !== undefined) {
    if (time !== 'virtual') throw refused('startTime has an effect only with time: "virtual"', startTime);
    if (!(startTime instanceof Date) || Number.isNaN(startTime.getTime()))
      throw refused('startTime must be a valid Date', startTime);
  }
  if (checkEveryPrefix !== undefined && typeof checkEveryPrefix !== 'boolean')
    throw refused('checkEveryPrefix must be true or false', checkEveryPrefix);
  if (server === undefined || server === false) return;
  if (time === 'virtual')
    throw refused('time: "virtual" works only on the engine in this process; leave out server', server);
  checkHarnessConfig('FlovynTestEnvironment: server', server);
}

/** Throws `ConfigurationError` for what does not say where a server is. */
export function checkHarnessConfig(what: string, config: HarnessConfig): void {
  const texts = ['grpcHost', 'httpHost', 'orgId', 'orgSlug', 'apiKey', 'workerToken'] as const;
  for (const name of texts)
    if (typeof config?.[name] !== 'string')
      throw new ConfigurationError(`${what}: ${name} must be a text, got ${shown(config?.[name])}`);
  for (const name of ['grpcPort', 'httpPort'] as const)
    if (!Number.isInteger(config[name]) || config[name] < 1 || config[name] > 65_535)
      throw new ConfigurationError(
        `${what}: ${name} must be a port from 1 to 65535, got ${shown(config[name])}`,
      );
}

function refused(rule: string, got: unknown): ConfigurationError {
  return new ConfigurationError(`FlovynTestEnvironment: ${rule}, got ${shown(got)}`);
}

function shown(value: unknown): string {
  return value instanceof Date ? String(value) : (JSON.stringify(value) ?? String(value));
}
