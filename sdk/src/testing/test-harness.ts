import { ConfigurationError, FlovynError, Unsupported } from '../errors.js';
import { checkOptions } from '../options.js';
import { checkHarnessConfig, type HarnessConfig } from './options.js';

/** How a `TestHarness` starts its server. */
export interface TestHarnessConfig {
  /**
   * The program. Default: what the environment variable `FLOVYN_SERVER_BIN` names, else `flovyn-server` of the `PATH`.
   */
  readonly serverBin?: string | undefined;
  /** The port of the server; 0 takes one that is free. Default: 0. */
  readonly port?: number | undefined;
  /** The folder that it keeps its data in. Default: one of its own, which `stop` removes. */
  readonly dataDir?: string | undefined;
}

/** A server process that runs. */
export interface ServerProcess {
  readonly config: HarnessConfig;
  stop(): Promise<void>;
}

/** Starts a server process, where the runtime can. */
export type StartServer = (config: TestHarnessConfig) => Promise<ServerProcess>;

let startServer: StartServer | undefined;

/** What the entries of runtimes that have processes bring. */
export function installStartServer(start: StartServer): void {
  startServer = start;
}

/**
 * A `flovyn-server` of its own, in a process of its own and with data of its own, for tests that need one that other
 * processes can reach. Only in Node, Deno (with `--allow-run`) and Bun.
 *
 * ```ts
 * const harness = new TestHarness();
 * await harness.start();
 * const env = new FlovynTestEnvironment({ server: harness.config });
 * await env.start();
 * await env.stop();
 * await harness.stop();
 * ```
 */
export class TestHarness implements HarnessConfig {
  readonly #options: TestHarnessConfig;
  #config: HarnessConfig | undefined;
  #process: ServerProcess | undefined;
  #starting: Promise<void> | undefined;

  /** Throws `ConfigurationError` for options that cannot be meant. Nothing is started. */
  constructor(config: TestHarnessConfig = {}) {
    checkOptions('TestHarness', config, ['serverBin', 'port', 'dataDir']);
    const { port = 0 } = config;
    if (!Number.isInteger(port) || port < 0 || port > 65_535)
      throw new ConfigurationError(`TestHarness: port must be from 0 to 65535, got ${port}`);
    this.#options = config;
  }

  /** One that stands for a server that runs already: there is nothing to start or to stop. */
  static of(config: HarnessConfig): TestHarness {
    checkHarnessConfig('TestHarness', config);
    const harness = new TestHarness();
    harness.#config = { ...config };
    return harness;
  }

  /**
   * Starts the server; resolves when it can be called. A second call does nothing. Throws `Unsupported` where there is no
   * server to be found or no process can be started, and says how to get one.
   */
  async start(): Promise<void> {
    if (this.#config !== undefined) return;
    this.#starting ??= this.#start().finally(() => {
      this.#starting = undefined;
    });
    await this.#starting;
  }

  /** Ends the server. Before `start` it does nothing. */
  async stop(): Promise<void> {
    await this.#starting?.catch(() => undefined);
    const process = this.#process;
    if (process === undefined) return;
    this.#process = undefined;
    this.#config = undefined;
    await process.stop();
  }

  /** Whether there is a server. */
  get isStarted(): boolean {
    return this.#config !== undefined;
  }

  /** Where the server is, and its keys: for `server` of `FlovynTestEnvironment`. Throws before `start`. */
  get config(): HarnessConfig {
    if (this.#config === undefined) throw new FlovynError('TestHarness is not started');
    return this.#config;
  }

  get grpcHost(): string {
    return this.config.grpcHost;
  }
  get grpcPort(): number {
    return this.config.grpcPort;
  }
  get httpHost(): string {
    return this.config.httpHost;
  }
  get httpPort(): number {
    return this.config.httpPort;
  }
  get orgId(): string {
    return this.config.orgId;
  }
  get orgSlug(): string {
    return this.config.orgSlug;
  }
  get apiKey(): string {
    return this.config.apiKey;
  }
  get workerToken(): string {
    return this.config.workerToken;
  }

  async #start(): Promise<void> {
    if (startServer === undefined)
      throw new Unsupported(
        'TestHarness needs a runtime that can start processes (Node, Deno or Bun); elsewhere test on the engine in this ' +
          'process, new FlovynTestEnvironment(), or give the server of another process',
      );
    this.#process = await startServer(this.#options);
    this.#config = this.#process.config;
  }
}

let shared: TestHarness | undefined;

/**
 * The harness that all tests of a process share, started. With `config` it stands for the server that this names, and
 * nothing is started. Throws `FlovynError` when they share one already that is of another server.
 */
export async function getTestHarness(config?: HarnessConfig): Promise<TestHarness> {
  shared ??= config === undefined ? new TestHarness() : TestHarness.of(config);
  const harness = shared;
  await harness.start();
  if (config === undefined || isOf(harness.config, config)) return harness;
  const { grpcHost, grpcPort } = harness.config;
  throw new FlovynError(
    `getTestHarness: the tests share a harness of the server at ${grpcHost}:${grpcPort} already, and not the one that was ` +
      `asked for, ${config.grpcHost}:${config.grpcPort}: call cleanupTestHarness() first`,
  );
}

function isOf(server: HarnessConfig, config: HarnessConfig): boolean {
  return Object.entries(config).every(([name, value]) => Reflect.get(server, name) === value);
}

/** Ends the server of `getTestHarness`, if there is one; the next call starts another. */
export async function cleanupTestHarness(): Promise<void> {
  const harness = shared;
  shared = undefined;
  await harness?.stop();
}
