import {
  activationHandleEvents,
  activationHandleFirstEvents,
  activationLastSequence,
  cancelHandle,
} from '../core.js';
import { ConfigurationError, FlovynError } from '../errors.js';
import { silentLogger } from '../logger.js';
import { runDry } from '../runtime/run-dry.js';
import { watchUnhandledRejections } from '../worker/unhandled-rejections.js';
import { Activation } from '../workflow/activation.js';
import { CallSites } from '../workflow/call-sites.js';
import type { WorkflowContext } from '../workflow/context-types.js';
import type { AnyWorkflow } from '../workflow/define.js';
import { Driver } from '../workflow/driver.js';
import type { HandleName } from '../workflow/pending.js';
import { WorkflowRun } from '../workflow/workflow-run.js';
import { type ClaimedExecution, MockEngine } from './mock-engine.js';
import { realPause } from './real-time.js';
import { serializer } from './rerun.js';
import type { VirtualClock } from './virtual-clock.js';

/**
 * So many activations may follow each other without a call of the test, and without a task, of which the test has given the
 * results: a workflow that is longer is taken for endless.
 */
const ACTIVATIONS_MAX = 5_000;
/** So often the event loop may turn before an operation is taken for one that waits for the machine. */
const TURNS_BEFORE_A_PAUSE = 64;
const LONGEST_PAUSE_MS = 8;
/** So long a test may let the machine do something before it says what the code waits for. */
const PATIENCE_MS = 100;
const LOOK_MS = 5;
/** The signal that begins a turn in which the test, or code that the test has called, uses the context. */
const ENTER = '$enter';

/** What an execution is made with. */
export interface MockSettings {
  readonly clock: VirtualClock;
  readonly seed: number;
  readonly workflow: AnyWorkflow | undefined;
  /** The queues that are polled. */
  readonly queues: ReadonlySet<string>;
  /** What the code gets instead of a context. */
  readonly contextFor: (ctx: WorkflowContext) => WorkflowContext;
  /** Does what task workers would do now; whether there was something. */
  readonly runTasks: (engine: MockEngine) => boolean;
  /** Does what those would do now who settle promises. */
  readonly settlePromises: (engine: MockEngine, executionId: string) => void;
  /** Whether a handle that waits may be settled by the time. */
  readonly isTimed: (name: HandleName) => boolean;
  /** Does what a worker of children would do. */
  readonly runChild: (engine: MockEngine, child: ClaimedExecution) => Promise<void>;
}

/** The code of an execution that has begun. */
interface Running {
  readonly activation: Activation;
  readonly run: WorkflowRun;
  readonly driver: Driver;
  readonly ctx: WorkflowContext;
}

/**
 * One execution on an engine of its own. Its function only lends its context to whoever calls `enter`, such as the function
 * of the workflow under test, which the test calls by itself.
 *
 * ```text
 * new --enter--> in a turn --run dry--> .. --final submission--> at rest --enter, something came--> in a turn ..
 *
 * at rest: the test has called something -> what it did comes first
 *          others have something to do   -> they do it
 *          something came                -> the next activation
 *          nothing can move              -> time passes: as far as the test lets it; else, if the code waits, to what is due
 *          nothing is due either         -> what the code waits for is rejected, since nobody will ever settle it
 * ```
 */
export class MockExecution {
  readonly #settings: MockSettings;
  readonly #clock: VirtualClock;
  readonly #advances = new Set<{ readonly untilMs: number; readonly resolve: () => void }>();
  /** Claimed, and not yet gone on with: the execution itself, and its children. */
  #own: ClaimedExecution | undefined;
  readonly #children: ClaimedExecution[] = [];
  #engine: MockEngine | undefined;
  #executionId = '';
  #running: Running | undefined;
  /** What an execution that has come to its end without the test's doing refuses everything with. */
  #failure: Error | undefined;
  #isActive = false;
  #isPumping = false;
  #activations = 0;
  #isStopped = false;
  /** How often something was called, by the test or by the code. */
  #calls = 0;

  constructor(settings: MockSettings) {
    this.#settings = settings;
    this.#clock = settings.clock;
  }

  /** The context, in a turn: one is begun if none is open. */
  enter(): WorkflowContext {
    if (this.#failure !== undefined) throw this.#failure;
    this.#calls += 1;
    const { run, ctx } = this.#running ?? this.#begin();
    // While an operation runs nobody may use the context: it refuses that itself.
    if (!run.turn.isOpen && !this.#isActive) {
      this.#started.signal(this.#executionId, ENTER, 'null');
      this.#claim();
      this.#goOn();
    }
    this.#pump();
    return ctx;
  }

  /** The id, without a turn. */
  get executionId(): string {
    return this.#running === undefined ? this.#begin().activation.info.executionId : this.#executionId;
  }

  /** The context, without a turn. */
  get ctx(): WorkflowContext {
    return (this.#running ?? this.#begin()).ctx;
  }

  /** The test tells the execution something. */
  tell(afterMs: number, tell: (engine: MockEngine, executionId: string) => void): void {
    const engine = this.#started;
    const told = (): void => tell(engine, this.#executionId);
    if (afterMs === 0) told();
    else this.#clock.schedule(afterMs, told);
    this.wake();
  }

  /** The test has done something that the execution may have waited for. */
  wake(): void {
    this.#wasCalled();
    if (this.#running !== undefined) this.#pump();
  }

  /** Lets time pass: at once if that can bring nothing about. Resolves when all that it brings about has been done. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#clock.nowMs() + ms;
    this.#wasCalled();
    const isBusy = this.#isPumping && (this.#running?.run.pending.size ?? 0) > 0;
    if (!isBusy && !(this.#nextMs <= untilMs)) return this.#moveTo(untilMs);
    await new Promise<void>((resolve) => {
      this.#advances.add({ untilMs, resolve });
      this.#pump();
    });
  }

  #wasCalled(): void {
    this.#calls += 1;
    this.#activations = 0;
    this.#isStopped = false;
  }

  get #started(): MockEngine {
    if (this.#engine !== undefined) return this.#engine;
    const { seed, workflow } = this.#settings;
    const engine = new MockEngine(seed, this.#clock);
    onceForgotten(this, engine.closing);
    this.#executionId = engine.start(workflow?.name ?? 'mock-workflow', workflow?.version);
    this.#engine = engine;
    return engine;
  }

  /** When the next thing is due that matters. */
  get #nextMs(): number {
    const { pending } = this.#running?.run ?? {};
    const isTimed = pending?.waiting.some(([, name]) => this.#settings.isTimed(name)) === true;
    const dueMs = isTimed ? this.#engine?.dueMs : undefined;
    return Math.min(this.#clock.nextMs ?? Number.POSITIVE_INFINITY, dueMs ?? Number.POSITIVE_INFINITY);
  }

  async #moveTo(ms: number): Promise<void> {
    await this.#clock.moveTo(ms);
    this.#engine?.tick();
  }

  /** The first activation, as far as its first turn. */
  #begin(): Running {
    const engine = this.#started;
    this.#claim();
    const claimed = this.#takeOwn();
    const activation = claimed && Activation.open(claimed.answer, true, undefined);
    if (claimed === undefined || activation === undefined)
      throw new Error('the engine of the mock did not give out its execution');
    onceForgotten(this, () => activation.close());
    activationHandleFirstEvents(activation.id);
    if (activation.info.hasMoreEvents) this.#loadRest(engine, activation);
    const definition = lending(this.#settings.workflow);
    const parts = { definition, serializer, logger: silentLogger, clock: this.#clock };
    const sites = new HandedOut(this.#settings.contextFor);
    const run = new WorkflowRun(activation, parts, sites);
    const driver = new Driver(activation, parts, run);
    const running = { activation, run, driver, ctx: sites.first };
    this.#running = running;
    void this.#activate(running, claimed);
    return running;
  }

  /** The next activation, if something came for it. True if so. */
  #goOn(): boolean {
    const [running, claimed] = [this.#running, this.#takeOwn()];
    if (running === undefined || claimed === undefined) return false;
    if (running.activation.takeIn(claimed.answer)) this.#loadRest(this.#started, running.activation);
    void this.#activate(running, claimed);
    return true;
  }

  #loadRest(engine: MockEngine, { id }: Activation): void {
    while (activationHandleEvents(id, engine.getEvents(this.#executionId, activationLastSequence(id))));
  }

  async #activate({ driver, run }: Running, { polled }: ClaimedExecution): Promise<void> {
    this.#isActive = true;
    this.#activations += 1;
    try {
      await driver.goOn(this.#started.host(polled));
      // The function never ends: a signal handler did.
      if (run.end !== undefined) this.#end(endError(run.end));
    } catch (error) {
      this.#end(FlovynError.from(error));
    } finally {
      this.#isActive = false;
    }
  }

  /** Claims all that can go on. */
  #claim(): void {
    const engine = this.#started;
    for (const queue of this.#settings.queues) {
      for (let claimed = engine.pollWorkflow(queue); claimed; claimed = engine.pollWorkflow(queue)) {
        if (claimed.polled.executionId === this.#executionId) this.#own = claimed;
        else this.#children.push(claimed);
      }
    }
  }

  #takeOwn(): ClaimedExecution | undefined {
    const own = this.#own;
    this.#own = undefined;
    return own;
  }

  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    void this.#keepPumping();
  }

  async #keepPumping(): Promise<void> {
    // No worker need be there that does: branches which nobody awaits must not end the process.
    const stopWatching = watchUnhandledRejections(silentLogger);
    try {
      while (await this.#step());
    } catch (error) {
      this.#end(FlovynError.from(error));
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
    if (this.#failure !== undefined) return false;
    // What the test does next comes before anything else.
    await runDry();
    if (this.#isActive) return true;
    // Before the code has begun, only time can pass.
    if (this.#running === undefined) return this.#passTime();
    if (this.#activations >= ACTIVATIONS_MAX) return this.#stopEndless();
    return (await this.#letAllGoOn()) || this.#passTime();
  }

  /** Everybody does what there is to do; false if it was nothing. */
  async #letAllGoOn(): Promise<boolean> {
    const { runTasks, settlePromises, runChild } = this.#settings;
    const engine = this.#started;
    // A worker that polls is remembered for a while, and with each poll anew: time must not stop for that.
    const hasWork = engine.takeHasWork();
    if (hasWork && runTasks(engine)) this.#activations = 0;
    settlePromises(engine, this.#executionId);
    if (hasWork || engine.takeHasWork()) this.#claim();
    const hasGoneOn = this.#goOn();
    const children = this.#children.splice(0);
    for (const child of children) await runChild(engine, child);
    return hasGoneOn || children.length > 0;
  }

  /** Until no activation is under way. Where it waits for an operation, time flows as on the machine. */
  async #untilRest(): Promise<void> {
    for (let idle = 0; this.#isActive; idle += 1) {
      await (idle < TURNS_BEFORE_A_PAUSE ? runDry() : realPause(Math.min(LONGEST_PAUSE_MS, idle / 64)));
      const isHeld = this.#clock.isHeld;
      this.#clock.flow(isHeld && idle >= TURNS_BEFORE_A_PAUSE);
      // An operation pauses before its next attempt.
      if (this.#isActive && !isHeld && this.#clock.nextMs !== undefined) {
        await this.#moveTo(this.#clock.nextMs);
        idle = 0;
      }
    }
    this.#clock.flow(false);
  }

  /** Whether time has passed, or something else has come of there being nothing to do. */
  async #passTime(): Promise<boolean> {
    const nextMs = this.#nextMs;
    const untilMs = Math.min(...[...this.#advances].map((advance) => advance.untilMs));
    if (this.#advances.size > 0 && untilMs < nextMs) {
      await this.#moveTo(untilMs);
      for (const advance of this.#advances) {
        if (advance.untilMs > untilMs) continue;
        this.#advances.delete(advance);
        advance.resolve();
      }
      return true;
    }
    const isWaiting = (this.#running?.run.pending.size ?? 0) > 0;
    if (this.#advances.size === 0 && !isWaiting) return false;
    if (nextMs === Number.POSITIVE_INFINITY) return this.#giveUp();
    await this.#moveTo(nextMs);
    return true;
  }

  /** Nobody will ever settle what the code waits for, unless the test does so soon. */
  async #giveUp(): Promise<boolean> {
    const calls = this.#calls;
    for (let waitedMs = 0; waitedMs < PATIENCE_MS; waitedMs += LOOK_MS) {
      await realPause(LOOK_MS);
      if (this.#calls !== calls) return true;
    }
    return this.#reject(neverSettled);
  }

  /** Rejects what the code waits for, and lets it go on. */
  #reject(errorFor: (name: HandleName) => Error): boolean {
    this.enter();
    const { run } = this.#running as Running;
    run.turn.do('MockWorkflowContext', (id) => {
      for (const [handle, name] of run.pending.waiting) {
        cancelHandle(id, handle);
        run.pending.rejectWith(handle, errorFor(name));
      }
    });
    return true;
  }

  /** The code is told so once, and may make good; then it is left alone. */
  #stopEndless(): boolean {
    if (this.#isStopped) return false;
    this.#isStopped = true;
    return this.#reject(endless);
  }

  /** There is no execution any more; the code is told so wherever it waits. */
  #end(failure: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = failure;
    const { pending } = this.#running?.run ?? {};
    for (const [handle] of pending?.waiting ?? []) pending?.rejectWith(handle, failure);
  }
}

/** Contexts that are handed out to code; the first of them is the one of the execution. */
class HandedOut extends CallSites {
  readonly #contextFor: MockSettings['contextFor'];
  #first: WorkflowContext | undefined;

  constructor(contextFor: MockSettings['contextFor']) {
    super();
    this.#contextFor = contextFor;
  }

  /** As it is. */
  get first(): WorkflowContext {
    if (this.#first === undefined) throw new Error('the execution of the mock has no context');
    return this.#first;
  }

  override watch<C extends object>(ctx: C): C {
    this.#first ??= ctx as unknown as WorkflowContext;
    return this.#contextFor(ctx as unknown as WorkflowContext) as unknown as C;
  }
}

/** A workflow that does nothing but wait, with the signal handlers of the one under test. */
function lending(workflow: AnyWorkflow | undefined): AnyWorkflow {
  return {
    name: workflow?.name ?? 'mock-workflow',
    description: undefined,
    version: undefined,
    timeout: undefined,
    handlers: { signals: { ...workflow?.handlers?.signals, [ENTER]: () => {} } },
    run: () => new Promise(() => {}),
  };
}

function endError(end: NonNullable<WorkflowRun['end']>): Error {
  const error = end.type === 'completed' ? undefined : end.error;
  return error instanceof Error ? error : new FlovynError(`The execution has ended as ${end.type}`, error);
}

function neverSettled({ type, name }: HandleName): ConfigurationError {
  const advice =
    type === 'signal'
      ? `send it by mockSignal("${name}", value)`
      : `settle it by mockPromiseResolution("${name}", value) or mockPromiseRejection("${name}", error)`;
  const what =
    type === 'signal' || type === 'promise'
      ? `, and nothing will come: ${advice}, before the test waits`
      : ', and nothing will come';
  return new ConfigurationError(`The workflow waits for ${type} "${name}"${what}`);
}

function endless(): ConfigurationError {
  return new ConfigurationError(
    `The workflow went on ${ACTIVATIONS_MAX} times without a call of the test, and may have no end. Let time pass in steps ` +
      'by advanceTime, and end it by markCancelled',
  );
}

// Some versions of workerd have none: what is left is let go with the whole core there.
const registry =
  typeof FinalizationRegistry === 'function'
    ? new FinalizationRegistry<() => void>((close) => close())
    : undefined;

/** Calls `close` some time after nobody holds `owner` any more. */
function onceForgotten(owner: object, close: () => void): void {
  registry?.register(owner, close);
}
