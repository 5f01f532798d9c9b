import {
  engineClose,
  engineHandle,
  engineOpen,
  engineTakeWakes,
  engineTakeWarnings,
  engineTick,
  engineTook,
  onCoreReset,
  type Parked,
} from '../core.js';
import { textOf } from '../errors/base.js';
import { CoreTrapped, EngineFailed, FlovynError, Unsupported } from '../errors.js';
import { consoleLogger, type Logger } from '../logger.js';
import { type Clock, systemClock } from '../runtime/clock.js';
import { runDry } from '../runtime/run-dry.js';
import { CallScope, closedError } from './call-scope.js';
import { ParkingLot } from './parking-lot.js';
import { statusError } from './status.js';
import type { CallOptions, Transport, UnaryAnswer } from './transport.js';

/** The organisation of an embedded engine unless the options name another. */
export const EMBEDDED_ORG_ID = '00000000-0000-4000-8000-000000000001';

const SERVER_URL = 'the embedded engine';
/** So many calls may be answered before everything else in the process gets its turn. */
const CALLS_IN_A_ROW = 32;
const METADATA = { 'flovyn-ext': '1' };

/** Options of `EmbeddedTransport`. */
export interface EmbeddedOptions {
  /** Id of the engine's one organisation, a UUID. Default: `EMBEDDED_ORG_ID`. */
  readonly orgId?: string | undefined;
  /** Slug of the engine's one organisation. Default: `default`. */
  readonly orgSlug?: string | undefined;
  /** How long a claim lasts without a sign of life, in milliseconds. Default: the engine's, 60 s. */
  readonly leaseMs?: number | undefined;
  /** Where time comes from. Default: the machine. */
  readonly clock?: Clock | undefined;
  /** Where the engine's warnings go, such as that of a history half as long as is allowed. Default: the console. */
  readonly logger?: Logger | undefined;
  /** Is told of each call that begins to wait. @internal */
  readonly onParked?: ((method: string) => void) | undefined;
}

/**
 * A Flovyn server in this process: the engine inside the core, everything in memory. All clients and workers that are
 * to see each other share one of these; it ends with `close`, or with `EngineFailed` for every call if the core traps.
 *
 * ```text
 * unary --> attempt --> answer
 *             |  ^
 *        park |  | woken by another call or the tick; deadline of the poll
 *             v  |
 *          parked --> ended by signal, deadline of the call, close, trap
 * ```
 */
export class EmbeddedTransport implements Transport {
  readonly extended = true;
  readonly isInProcess = true;
  readonly #options: EmbeddedOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #parked = new ParkingLot<EngineCall>();
  readonly #calls = new Set<EngineCall>();
  #made = 0;
  #unanswered = 0;
  #engine: number | undefined;
  #forgetReset: (() => void) | undefined;
  #ended: ((method: string) => FlovynError) | undefined;
  #tick: { readonly dueMs: number; readonly stop: () => void } | undefined;

  constructor(options: EmbeddedOptions = {}) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#logger = options.logger ?? consoleLogger();
  }

  async unary(method: string, body: Uint8Array, options: CallOptions = {}): Promise<UnaryAnswer> {
    // An answer that is there at once arrives by microtasks alone: a loop of such calls would let no timer fire.
    this.#made += 1;
    this.#unanswered += 1;
    try {
      if (this.#made % CALLS_IN_A_ROW === 0) await runDry();
      return await this.#answered(method, body, options);
    } finally {
      this.#unanswered -= 1;
    }
  }

  /** Whether no call is on its way: all there are wait for something. @internal */
  get isStill(): boolean {
    return this.#unanswered === this.#parked.size;
  }

  /** Whether a call of this method waits. @internal */
  isParked(method: string): boolean {
    return [...this.#parked.calls].some(({ scope }) => scope.facts.method === method);
  }

  async #answered(method: string, body: Uint8Array, options: CallOptions): Promise<UnaryAnswer> {
    if (this.#ended !== undefined) throw this.#ended(method);
    const engine = this.#open();
    const scope = new CallScope(method, SERVER_URL, options, this.#clock);
    try {
      return await new Promise((resolve, reject) => {
        const claim = options.metadata?.['flovyn-claim'];
        const extended = options.extensions !== false;
        const firstAttemptMs = this.#clock.nowMs();
        this.#start(engine, { scope, body, claim, extended, firstAttemptMs, resolve, reject });
      });
    } finally {
      scope.dispose();
    }
  }

  serverStream(method: string): never {
    throw new Unsupported(
      `${method} streams its answers, which the embedded engine cannot: run flovyn-server for it`,
    );
  }

  async close(): Promise<void> {
    if (this.#ended !== undefined) return;
    const engine = this.#engine;
    this.#end(closedError);
    if (engine !== undefined) engineClose(engine);
  }

  /** Opens the engine at the first call: some runtimes give out no random numbers while modules load. */
  #open(): number {
    if (this.#engine !== undefined) return this.#engine;
    const { orgId = EMBEDDED_ORG_ID, orgSlug = 'default', leaseMs } = this.#options;
    const engine = engineOpen({ orgId, orgSlug, leaseMs });
    this.#engine = engine;
    this.#forgetReset = onCoreReset((trap) => this.#fail(trap));
    return engine;
  }

  #start(engine: number, call: EngineCall): void {
    this.#calls.add(call);
    call.scope.onEnd((failure) => this.#reject(call, failure));
    if (call.scope.failure !== undefined) return;
    this.#attempt(engine, call, false);
    this.#followUp(engine);
  }

  /** Asks the engine. True if the call has its answer. */
  #attempt(engine: number, call: EngineCall, expired: boolean): boolean {
    const { scope, body, claim, extended, firstAttemptMs } = call;
    const nowMs = this.#clock.nowMs();
    try {
      const { method } = scope.facts;
      const answer = engineHandle(engine, method, body, extended, claim, { firstAttemptMs, expired }, nowMs);
      if (answer instanceof Uint8Array) return this.#resolve(call, answer);
      this.#park(engine, call, answer, nowMs);
    } catch (error) {
      if (error instanceof CoreTrapped) this.#fail(error);
      else this.#reject(call, refusal(call, error));
    }
    return false;
  }

  /** A call that was woken for nothing keeps its place. */
  #park(engine: number, call: EngineCall, { park, deadlineMs }: Parked, nowMs: number): void {
    if (this.#parked.isUntil(call, deadlineMs)) return;
    this.#parked.remove(call);
    const onDeadline = (): void => {
      this.#parked.remove(call);
      this.#attempt(engine, call, true);
      this.#followUp(engine);
    };
    const stopTimer = this.#clock.schedule(deadlineMs - nowMs, onDeadline, { upkeep: true });
    this.#parked.add(call, { keys: park, deadlineMs, stopTimer });
    this.#options.onParked?.(call.scope.facts.method);
  }

  /** What a call or a due time may lead to: parked calls that can go on, another due time, warnings. */
  #followUp(engine: number): void {
    let warnings: string[] = [];
    try {
      this.#goOn(engine);
      if (this.#ended === undefined) warnings = engineTakeWarnings(engine);
    } catch (error) {
      this.#fail(error);
    }
    for (const warning of warnings) this.#logger.warn(warning);
  }

  #goOn(engine: number): void {
    let wakes = engineTakeWakes(engine);
    do {
      for (const key of wakes?.all ?? []) this.#wakeAll(engine, key);
      for (const keys of wakes?.one ?? []) this.#wakeOne(engine, keys);
      if (this.#ended !== undefined) return;
      this.#armTick(engine, engineTick(engine, this.#clock.nowMs()));
      wakes = engineTakeWakes(engine);
    } while (wakes !== undefined);
  }

  #wakeAll(engine: number, key: string): void {
    for (const call of this.#parked.under(key)) {
      if (this.#ended === undefined) this.#attempt(engine, call, false);
    }
  }

  /** Asks one call after the other until one of them takes the piece of work that the keys announced. */
  #wakeOne(engine: number, keys: readonly string[]): void {
    const announced = keys.at(-1) ?? '';
    for (const call of new Set(keys.flatMap((key) => this.#parked.under(key)))) {
      if (this.#ended !== undefined) return;
      if (this.#attempt(engine, call, false) && engineTook(engine, announced)) return;
    }
  }

  // A timer that is due too early is left alone: its tick finds nothing and arms the right one.
  #armTick(engine: number, dueMs: number | undefined): void {
    if (dueMs === undefined || (this.#tick !== undefined && this.#tick.dueMs <= dueMs)) return;
    this.#tick?.stop();
    const onDue = (): void => {
      this.#tick = undefined;
      this.#followUp(engine);
    };
    // A process stays for calls that wait, each of which has a timer of its own; it need not stay for what nobody awaits.
    const stop = this.#clock.schedule(dueMs - this.#clock.nowMs(), onDue, { keepAlive: false });
    this.#tick = { dueMs, stop };
  }

  #resolve(call: EngineCall, body: Uint8Array): true {
    this.#calls.delete(call);
    this.#parked.remove(call);
    call.resolve({ body, metadata: METADATA });
    return true;
  }

  #reject(call: EngineCall, error: FlovynError): void {
    this.#calls.delete(call);
    this.#parked.remove(call);
    call.reject(error);
  }

  #fail(cause: unknown): void {
    const text =
      `The embedded engine ended because of a bug in it: ${textOf(cause)}. ` +
      'What it held in memory is gone; create a new client to go on, and please report this';
    this.#end(() => new EngineFailed(text, cause));
  }

  #end(reason: (method: string) => FlovynError): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#forgetReset?.();
    this.#tick?.stop();
    for (const call of this.#calls) this.#reject(call, reason(call.scope.facts.method));
  }
}

/** One call until it has its answer. */
interface EngineCall {
  readonly scope: CallScope;
  readonly body: Uint8Array;
  readonly claim: string | undefined;
  /** Whether the caller knows our extensions. */
  readonly extended: boolean;
  /** When the engine was first asked, so that a poll that is asked again keeps its deadline. */
  readonly firstAttemptMs: number;
  readonly resolve: (answer: UnaryAnswer) => void;
  readonly reject: (error: FlovynError) => void;
}

function refusal(call: EngineCall, error: unknown): FlovynError {
  const grpcCode: unknown = error instanceof Error ? Reflect.get(error, 'grpcCode') : undefined;
  return typeof grpcCode === 'number'
    ? statusError(grpcCode, textOf(error), call.scope.facts)
    : FlovynError.from(error);
}
