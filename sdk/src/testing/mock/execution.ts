import { ConfigurationError, FlovynError } from '../../errors.js';
import { silentLogger } from '../../logger.js';
import { runDry } from '../../runtime/run-dry.js';
import { watchUnhandledRejections } from '../../worker/unhandled-rejections.js';
import type { WorkflowContext } from '../../workflow/context-types.js';
import type { HandleName } from '../../workflow/pending.js';
import { MockCode, type MockCodeParts } from './code.js';
import type { ClaimedExecution, MockEngine } from './engine.js';
import { realPause } from '../real-time.js';
import type { VirtualClock } from '../virtual-clock.js';

/**
 * So many activations may follow each other without a call of the test, and without a task, of which the test has given the
 * results: a workflow that is longer is taken for endless.
 */
const ACTIVATIONS_MAX = 2_000;
/** So often the event loop may turn before an operation is taken for one that waits for the machine. */
const TURNS_BEFORE_A_PAUSE = 64;
const LONGEST_PAUSE_MS = 8;
/** So long a test may let the machine do something before it says what the code waits for. */
const PATIENCE_MS = 100;
const LOOK_MS = 5;

/** What an execution and its surroundings are made with. */
export interface MockSettings extends MockCodeParts {
  /** Does what task workers would do now; whether there was something. */
  readonly runTasks: (engine: MockEngine) => boolean;
  /** Does what those would do now who settle promises. */
  readonly settlePromises: (engine: MockEngine, executionId: string) => void;
  /** Does what a worker of children would do. */
  readonly runChild: (engine: MockEngine, child: ClaimedExecution) => Promise<void>;
  /** Whether what the code waits for may be settled by the time. */
  readonly isTimed: (name: HandleName) => boolean;
}

/**
 * One execution, and all that makes it go on: workers, whoever settles promises, and time.
 *
 * ```text
 * an activation is under way     -> it comes to its end
 * the test has called something  -> what it did comes first
 * others have something to do    -> they do it
 * something came                 -> the next activation
 * nothing can move               -> time passes: as far as the test lets it; else, if the code waits, to what is due
 * nothing is due either          -> what the code waits for is rejected, since nobody will ever settle it
 * ```
 */
export class MockExecution {
  readonly #settings: MockSettings;
  readonly #clock: VirtualClock;
  readonly #code: MockCode;
  readonly #advances = new Set<{ readonly untilMs: number; readonly resolve: () => void }>();
  #isPumping = false;
  /** How often something was called, by the test or by the code. */
  #calls = 0;
  /** How many activations there had been when the test last called something, or a task was run. */
  #before = 0;
  #wasToldEndless = false;
  #isStopped = false;

  constructor(settings: MockSettings) {
    this.#settings = settings;
    this.#clock = settings.clock;
    this.#code = new MockCode(settings);
  }

  /** The context, in a turn. */
  enter(): WorkflowContext {
    this.#calls += 1;
    const ctx = this.#code.enter();
    this.#pump();
    return ctx;
  }

  get executionId(): string {
    return this.#code.executionId;
  }

  /** The context, without a turn. */
  get ctx(): WorkflowContext {
    return this.#code.ctx;
  }

  /** The test tells the execution something. */
  tell(afterMs: number, tell: (engine: MockEngine, executionId: string) => void): void {
    const { engine, executionId } = this.#code;
    const told = (): void => tell(engine, executionId);
    if (afterMs === 0) told();
    else this.#clock.schedule(afterMs, told);
    this.wake();
  }

  /** The test has done something that the execution may have waited for. */
  wake(): void {
    this.#wasCalled();
    if (this.#code.hasBegun) this.#pump();
  }

  /** Lets time pass: at once if that can bring nothing about. Resolves when all that it brings about has been done. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#clock.nowMs() + ms;
    this.#wasCalled();
    const isBusy = this.#isPumping && this.#code.waiting.length > 0;
    const isDue = this.#nextMs <= untilMs;
    if (this.#isStopped || (!isBusy && !isDue)) return this.#moveTo(untilMs);
    await new Promise<void>((resolve) => {
      this.#advances.add({ untilMs, resolve });
      this.#pump();
    });
  }

  /** Nothing goes on any more: what the code waits for never settles. */
  stop(): void {
    this.#isStopped = true;
    this.#code.stop();
    this.#wasCalled();
  }

  #wasCalled(): void {
    this.#calls += 1;
    this.#before = this.#code.activations;
    this.#wasToldEndless = false;
  }

  /** When the next thing is due that matters. */
  get #nextMs(): number {
    const isTimed = this.#code.waiting.some(this.#settings.isTimed);
    const dueMs = isTimed ? this.#code.engine.dueMs : undefined;
    return Math.min(this.#clock.nextMs ?? Number.POSITIVE_INFINITY, dueMs ?? Number.POSITIVE_INFINITY);
  }

  async #moveTo(ms: number): Promise<void> {
    await this.#clock.moveTo(ms);
    if (this.#code.hasBegun) this.#code.engine.tick();
  }

  #pump(): void {
    if (this.#isPumping || this.#isStopped) return;
    this.#isPumping = true;
    void this.#keepPumping();
  }

  async #keepPumping(): Promise<void> {
    // No worker need be there that does: branches which nobody awaits must not end the process.
    const stopWatching = watchUnhandledRejections(silentLogger);
    try {
      while (await this.#step());
    } catch (error) {
      this.#code.end(FlovynError.from(error));
      await runDry();
    } finally {
      this.#isPumping = false;
      for (const { resolve } of this.#advances) resolve();
      this.#advances.clear();
      stopWatching();
    }
  }

  /** Whether there may be more to do. */
  async #step(): Promise<boolean> {
    await this.#untilRest();
    if (this.#code.failure !== undefined) return false;
    // What the test does next comes before anything else.
    await runDry();
    if (this.#isStopped) return false;
    if (this.#code.isActive) return true;
    // Before the code has begun, only time can pass.
    if (!this.#code.hasBegun) return this.#passTime();
    if (this.#code.activations - this.#before >= ACTIVATIONS_MAX) return this.#stopEndless();
    return (await this.#letAllGoOn()) || this.#passTime();
  }

  /** Everybody does what there is to do; false if it was nothing. */
  async #letAllGoOn(): Promise<boolean> {
    const { runTasks, settlePromises, runChild } = this.#settings;
    const { engine, executionId } = this.#code;
    // A worker that polls is remembered for a while, and with each poll anew: time must not stop for that.
    const hasWork = engine.takeHasWork();
    if (hasWork && runTasks(engine)) this.#before = this.#code.activations;
    settlePromises(engine, executionId);
    if (hasWork || engine.takeHasWork()) this.#code.claim();
    const hasGoneOn = this.#code.goOn();
    const children = this.#code.takeChildren();
    for (const child of children) await runChild(engine, child);
    return hasGoneOn || children.length > 0;
  }

  /** Until no activation is under way. Where it waits for an operation, time flows as on the machine. */
  async #untilRest(): Promise<void> {
    for (let idle = 0; this.#code.isActive; idle += 1) {
      await (idle < TURNS_BEFORE_A_PAUSE ? runDry() : realPause(Math.min(LONGEST_PAUSE_MS, idle / 64)));
      const isHeld = this.#clock.isHeld;
      this.#clock.flow(isHeld && idle >= TURNS_BEFORE_A_PAUSE);
      // An operation pauses before its next attempt.
      if (this.#code.isActive && !isHeld && this.#clock.nextMs !== undefined) {
        await this.#moveTo(this.#clock.nextMs);
        idle = 0;
      }
    }
    this.#clock.flow(false);
  }

  /** Whether time has passed, or something else has come of there being nothing to do. */
  async #passTime(): Promise<boolean> {
    const nextMs = this.#nextMs;
    if (this.#advances.size > 0) return this.#passAsAsked(nextMs);
    if (this.#code.waiting.length === 0) return false;
    if (nextMs === Number.POSITIVE_INFINITY) return this.#giveUp();
    await this.#moveTo(nextMs);
    return true;
  }

  /** As far as the test lets it, and no further than to what is due next. */
  async #passAsAsked(nextMs: number): Promise<true> {
    const untilMs = Math.min(...[...this.#advances].map((advance) => advance.untilMs));
    await this.#moveTo(Math.min(nextMs, untilMs));
    // What is due at that very time has to be done first.
    if (nextMs <= untilMs) return true;
    for (const advance of this.#advances) {
      if (advance.untilMs > untilMs) continue;
      this.#advances.delete(advance);
      advance.resolve();
    }
    return true;
  }

  /** Nobody will ever settle what the code waits for, unless the test does so soon. */
  async #giveUp(): Promise<boolean> {
    const calls = this.#calls;
    for (let waitedMs = 0; waitedMs < PATIENCE_MS; waitedMs += LOOK_MS) {
      await realPause(LOOK_MS);
      if (this.#calls !== calls) return true;
    }
    this.#code.reject(neverSettled);
    return true;
  }

  /** The code is told so once, and may make good; then it is left alone. */
  #stopEndless(): boolean {
    if (this.#wasToldEndless) return false;
    this.#wasToldEndless = true;
    this.#code.reject(endless);
    return true;
  }
}

const HAS_RETURNED =
  'If the workflow has returned, and only a branch that nobody awaits goes on, end the context by stop()';

function neverSettled({ type, name }: HandleName): ConfigurationError {
  const what = `The workflow waits for ${type} "${name}", and nothing will come`;
  if (type !== 'signal' && type !== 'promise') return new ConfigurationError(what);
  const advice =
    type === 'signal'
      ? `send it by mockSignal("${name}", value)`
      : `settle it by mockPromiseResolution("${name}", value) or mockPromiseRejection("${name}", error)`;
  return new ConfigurationError(`${what}: ${advice}, before the test waits. ${HAS_RETURNED}`);
}

function endless(): ConfigurationError {
  return new ConfigurationError(
    `The workflow went on ${ACTIVATIONS_MAX} times without a call of the test, and may have no end: let time pass in steps ` +
      `by advanceTime, and end it by markCancelled. ${HAS_RETURNED}`,
  );
}
