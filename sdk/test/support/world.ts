import { afterEach } from 'vitest';
import './core.js';
import { FlovynClient } from '../../src/client/client.js';
import type { FlovynClientOptions } from '../../src/client/options.js';
import { decodeEvents, encodeGetEvents } from '../../src/core.js';
import { ConnectionError } from '../../src/errors.js';
import type { PayloadCodec } from '../../src/codec.js';
import { type Clock, systemClock } from '../../src/runtime/clock.js';
import type { Logger } from '../../src/logger.js';
import { Method } from '../../src/rpc/methods.js';
import type { AnyTask } from '../../src/task/define.js';
import { EMBEDDED_ORG_ID, type EmbeddedOptions, EmbeddedTransport } from '../../src/transport/embedded.js';
import type { CallOptions, Transport, UnaryAnswer } from '../../src/transport/transport.js';
import type { AnyWorkflow } from '../../src/workflow/define.js';
import { runDry } from '../../src/runtime/run-dry.js';
import { ManualClock } from './manual-clock.js';
import { fieldsOf } from './protobuf.js';

/** An event of a history, its data parsed. */
export interface TestEvent {
  readonly sequence: number;
  readonly type: string;
  readonly data: Record<string, unknown>;
}

/** What becomes of one call; `next` makes it, with another request if one is given. */
export type Interception = (
  method: string,
  next: (request?: Uint8Array) => Promise<UnaryAnswer>,
  request: Uint8Array,
) => Promise<UnaryAnswer>;

/** A transport that counts calls and lets a test meddle with them. */
export class MeddledTransport implements Transport {
  readonly calls: string[] = [];
  /** What the calls announced. */
  readonly extensions = new Set<boolean>();
  intercept: Interception = (_method, next) => next();
  extended = true;
  isInProcess = true;
  readonly #inner: Transport;
  readonly #controller = new AbortController();
  readonly #death = gate<never>();

  constructor(inner: Transport) {
    this.#inner = inner;
    this.#death.promise.catch(() => {});
  }

  async unary(method: string, body: Uint8Array, options: CallOptions = {}): Promise<UnaryAnswer> {
    this.calls.push(method.slice(method.lastIndexOf('/') + 1));
    this.extensions.add(options.extensions ?? true);
    const mortal = this.#mortal(options);
    const next = (request = body) => this.#inner.unary(method, request, mortal);
    const call = this.intercept(method, next, body);
    return Promise.race([this.#death.promise, call]);
  }

  /** From now on nothing gets through, as if the process of the client had been killed. */
  kill(): void {
    this.#controller.abort();
    this.#death.fail(new ConnectionError('the process was killed', 'here'));
  }

  #mortal(options: CallOptions): CallOptions {
    const signals = [this.#controller.signal, ...(options.signal ? [options.signal] : [])];
    return { ...options, signal: AbortSignal.any(signals) };
  }

  serverStream(): never {
    throw new Error('nothing streams here');
  }

  async close(): Promise<void> {}

  /** How often this call was made. */
  count(name: string): number {
    return this.calls.filter((call) => call === name).length;
  }
}

/** Collects what is logged. */
export class MemoryLogger implements Logger {
  readonly lines: string[] = [];

  debug(message: string): void {
    this.lines.push(`debug ${message}`);
  }
  info(message: string): void {
    this.lines.push(`info ${message}`);
  }
  warn(message: string): void {
    this.lines.push(`warn ${message}`);
  }
  error(message: string): void {
    this.lines.push(`error ${message}`);
  }

  /** The lines at this level. */
  at(level: string): string[] {
    return this.lines
      .filter((line) => line.startsWith(`${level} `))
      .map((line) => line.slice(level.length + 1));
  }
}

/** An embedded server, and the clients of a test, which are stopped when the test ends. */
export class World {
  readonly engine: MeddledTransport;
  readonly logger = new MemoryLogger();
  readonly #clients: FlovynClient[] = [];
  readonly #inner: EmbeddedTransport;
  readonly #clock: ManualClock | undefined;

  constructor(options: EmbeddedOptions = {}) {
    this.#inner = new EmbeddedTransport(options);
    this.#clock = options.clock instanceof ManualClock ? options.clock : undefined;
    this.engine = new MeddledTransport(this.#inner);
  }

  /** A started client that runs these definitions. */
  async client(
    definitions: readonly (AnyWorkflow | AnyTask)[] = [],
    options: Partial<FlovynClientOptions> = {},
  ): Promise<FlovynClient> {
    const client = new FlovynClient({
      transport: this.engine,
      logger: this.logger,
      shutdownGraceMs: 200,
      orgId: EMBEDDED_ORG_ID,
      ...options,
    });
    for (const definition of definitions) {
      if (isTask(definition)) client.registerTask(definition);
      else client.registerWorkflow(definition);
    }
    await client.start();
    this.#clients.push(client);
    return client;
  }

  /** The history of an execution. */
  async history(workflowExecutionId: string): Promise<TestEvent[]> {
    const events: TestEvent[] = [];
    for (let hasMore = true; hasMore; ) {
      const afterSequence = events.at(-1)?.sequence ?? 0;
      const request = encodeGetEvents({ workflowExecutionId, afterSequence, pageSize: 0 });
      const page = decodeEvents((await this.#inner.unary(Method.GetEvents, request)).body);
      for (const { sequence, eventType, data } of page.events) {
        events.push({ sequence, type: eventType, data: JSON.parse(data) as Record<string, unknown> });
      }
      hasMore = page.hasMore;
    }
    return events;
  }

  /** The types of the events of an execution, without those that say nothing of its work. */
  async eventTypes(workflowExecutionId: string): Promise<string[]> {
    const types = (await this.history(workflowExecutionId)).map(({ type }) => type);
    return types.filter((type) => type !== 'WORKFLOW_SUSPENDED');
  }

  /**
   * Lets time pass until `work` has come to its end: to what is due next, each time when everything that can happen
   * before has happened. However slow the machine is, nothing is too late.
   */
  async passing<T>(work: Promise<T>): Promise<T> {
    const over = new AbortController();
    const end = (): void => over.abort();
    work.then(end, end);
    while (!over.signal.aborted) {
      await this.quiet(over.signal);
      if (!over.signal.aborted) this.#clock?.advanceToNext();
    }
    return work;
  }

  /** Resolves when nothing happens any more, unless time passes or somebody acts from outside; or when `over` fires. */
  async quiet(over?: AbortSignal): Promise<void> {
    for (let turns = 0; turns < STILL_TURNS; turns += 1) {
      await runDry();
      if (over?.aborted) return;
      // It is not public.
      if (!Reflect.get(this.#inner, 'isStill')) turns = 0;
    }
  }

  async close(): Promise<void> {
    const stopped = Promise.all(this.#clients.map((client) => client.stop()));
    await (this.#clock === undefined ? stopped : this.passing(stopped));
    await this.#inner.close();
  }
}

/** Between two calls of a worker or client are fewer turns of the event loop than this. */
const STILL_TURNS = 10;

/** Options that are not public. */
export function hidden(options: { codec?: PayloadCodec; clock?: Clock }): Partial<FlovynClientOptions> {
  const untyped: object = options;
  return untyped;
}

const worlds: World[] = [];

/** A world that ends with the test. */
export function world(options?: EmbeddedOptions): World {
  const made = new World(options);
  worlds.push(made);
  return made;
}

afterEach(async () => {
  await Promise.all(worlds.splice(0).map((made) => made.close()));
});

/** The requests of one kind that go out from now on, their fields by number. */
export function requestsOf({ engine }: World, watched: string): Record<number, number | string>[] {
  const seen: Record<number, number | string>[] = [];
  const { intercept } = engine;
  engine.intercept = (method, next, request) => {
    if (method === watched) seen.push(fieldsOf(request));
    return intercept(method, next, request);
  };
  return seen;
}

/** The time of the machine with all waiting a hundred times as fast. */
export const hastyClock: Clock = {
  nowMs: () => Date.now(),
  schedule: (delayMs, callback, options) => systemClock.schedule(delayMs / 100, callback, options),
};

/** Resolves once `condition` holds; looks after each task of the event loop. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** A promise and its ends. */
export function gate<T = void>(): {
  promise: Promise<T>;
  open: (value: T) => void;
  fail: (error: unknown) => void;
} {
  let open!: (value: T) => void;
  let fail!: (error: unknown) => void;
  const promise = new Promise<T>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return { promise, open, fail };
}

function isTask(definition: AnyWorkflow | AnyTask): definition is AnyTask {
  return 'retry' in definition;
}
