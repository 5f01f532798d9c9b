import {
  activationHandleEvents,
  activationHandleFirstEvents,
  activationLastSequence,
  cancelHandle,
} from '../../core.js';
import { FlovynError } from '../../errors.js';
import { silentLogger } from '../../logger.js';
import { Stop } from '../../runtime/stop.js';
import { Activation } from '../../workflow/activation.js';
import { CallSites } from '../../workflow/call-sites.js';
import type { WorkflowContext } from '../../workflow/context-types.js';
import type { AnyWorkflow } from '../../workflow/define.js';
import { Driver } from '../../workflow/driver.js';
import type { HandleName } from '../../workflow/pending.js';
import { WorkflowRun } from '../../workflow/workflow-run.js';
import { type ClaimedExecution, MockEngine } from './engine.js';
import { serializer } from '../replay/rerun.js';
import type { VirtualClock } from '../virtual-clock.js';

/** The signal that begins a turn in which the test, or code that the test has called, uses the context. */
const ENTER = '$enter';

/** What an execution is made with. */
export interface MockCodeParts {
  readonly clock: VirtualClock;
  readonly seed: number;
  readonly workflow: AnyWorkflow | undefined;
  /** The queues that are polled. */
  readonly queues: ReadonlySet<string>;
  /** What the code gets instead of a context. */
  readonly contextFor: (ctx: WorkflowContext) => WorkflowContext;
}

/** Code that has begun. */
interface Begun {
  readonly activation: Activation;
  readonly run: WorkflowRun;
  readonly driver: Driver;
  readonly ctx: WorkflowContext;
}

/**
 * The code of one execution, on an engine of its own. Its function only lends its context to whoever calls `enter`, such as
 * the function of the workflow under test, which the test calls by itself.
 *
 * ```text
 * new --enter--> in a turn --run dry, nothing can move--> at rest --enter, goOn--> in a turn ..
 *                in a turn --a signal handler ends it, the core fails--> ended
 *                                               at rest, in a turn --stop--> stopped
 * ```
 */
export class MockCode {
  readonly #parts: MockCodeParts;
  /** Executions that were claimed, and not yet gone on with: this one, and its children. */
  #own: ClaimedExecution | undefined;
  #children: ClaimedExecution[] = [];
  #started: { readonly engine: MockEngine; readonly executionId: string } | undefined;
  #begun: Begun | undefined;
  #failure: Error | undefined;
  #isActive = false;
  #activations = 0;
  /** Ends the activation that is under way. */
  readonly #stop = new Stop();
  #isStopped = false;

  constructor(parts: MockCodeParts) {
    this.#parts = parts;
  }

  /** The engine, with the execution in it. */
  get engine(): MockEngine {
    return (this.#started ?? this.#start()).engine;
  }

  get executionId(): string {
    return (this.#started ?? this.#start()).executionId;
  }

  /** The context, without a turn. */
  get ctx(): WorkflowContext {
    return (this.#begun ?? this.#begin()).ctx;
  }

  /** Whether there has been a turn. */
  get hasBegun(): boolean {
    return this.#begun !== undefined;
  }

  /** Whether an activation is under way. */
  get isActive(): boolean {
    return this.#isActive;
  }

  /** How many there have been. */
  get activations(): number {
    return this.#activations;
  }

  /** Why the execution refuses everything: it has come to its end without the test's doing. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** What the code waits for, or has left alone. */
  get waiting(): HandleName[] {
    return this.#begun?.run.pending.waiting.map(([, name]) => name) ?? [];
  }

  /** The context, in a turn: one is begun if none is open. */
  enter(): WorkflowContext {
    if (this.#failure !== undefined) throw this.#failure;
    const { run, ctx } = this.#begun ?? this.#begin();
    if (run.turn.isOpen) return ctx;
    if (this.#isStopped) {
      run.turn.begin();
    } else if (!this.#isActive) {
      // While an operation runs nobody may use the context: it refuses that itself.
      this.engine.signal(this.executionId, ENTER, 'null');
      this.claim();
      this.goOn();
    }
    return ctx;
  }

  /** The last turn never ends: the test can look around, and the code is told nothing more. */
  stop(): void {
    if (this.#isStopped || this.#failure !== undefined) return;
    if (!this.#isActive) this.enter();
    this.#isStopped = true;
    this.#stop.fire(new Error('the context was stopped'));
  }

  /** Claims all that can go on. */
  claim(): void {
    const { engine, executionId } = this;
    for (const queue of this.#parts.queues) {
      for (let claimed = engine.pollWorkflow(queue); claimed; claimed = engine.pollWorkflow(queue)) {
        if (claimed.polled.executionId === executionId) this.#own = claimed;
        else this.#children.push(claimed);
      }
    }
  }

  /** The children that were claimed since the last call. */
  takeChildren(): ClaimedExecution[] {
    const children = this.#children;
    this.#children = [];
    return children;
  }

  /** Begins the next activation, if the execution was claimed for one; whether it was. */
  goOn(): boolean {
    const [begun, claimed] = [this.#begun, this.#takeOwn()];
    if (begun === undefined || claimed === undefined) return false;
    if (begun.activation.takeIn(claimed.answer)) this.#loadRest(begun.activation);
    void this.#activate(begun, claimed);
    return true;
  }

  /** Rejects what the code waits for, and lets it go on. */
  reject(errorFor: (name: HandleName) => Error): void {
    this.enter();
    const { run } = this.#begun ?? this.#begin();
    run.turn.do('MockWorkflowContext', (id) => {
      for (const [handle, name] of run.pending.waiting) {
        cancelHandle(id, handle);
        run.pending.rejectWith(handle, errorFor(name));
      }
    });
  }

  /** There is no execution any more; the code is told so wherever it waits. */
  end(failure: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = failure;
    const { pending } = this.#begun?.run ?? {};
    for (const [handle] of pending?.waiting ?? []) pending?.rejectWith(handle, failure);
  }

  #start(): { readonly engine: MockEngine; readonly executionId: string } {
    const { seed, workflow, clock } = this.#parts;
    const engine = new MockEngine(seed, clock);
    onceForgotten(this, engine.closing);
    const executionId = engine.start(workflow?.name ?? 'mock-workflow', workflow?.version);
    this.#started = { engine, executionId };
    return this.#started;
  }

  /** The first activation, as far as its first turn. */
  #begin(): Begun {
    const { workflow, clock, contextFor } = this.#parts;
    this.claim();
    const claimed = this.#takeOwn();
    const activation = claimed && Activation.open(claimed.answer, true, undefined);
    if (claimed === undefined || activation === undefined)
      throw new Error('the engine of the mock did not give out its execution');
    onceForgotten(this, () => activation.close());
    activationHandleFirstEvents(activation.id);
    if (activation.info.hasMoreEvents) this.#loadRest(activation);
    const parts = { definition: lending(workflow), serializer, logger: silentLogger, clock };
    const sites = new HandedOut(contextFor);
    const run = new WorkflowRun(activation, parts, sites);
    const begun = { activation, run, driver: new Driver(activation, parts, run), ctx: sites.first };
    this.#begun = begun;
    void this.#activate(begun, claimed);
    return begun;
  }

  #takeOwn(): ClaimedExecution | undefined {
    const own = this.#own;
    this.#own = undefined;
    return own;
  }

  #loadRest({ id }: Activation): void {
    const { engine, executionId } = this;
    while (activationHandleEvents(id, engine.getEvents(executionId, activationLastSequence(id))));
  }

  async #activate({ driver, run }: Begun, { polled }: ClaimedExecution): Promise<void> {
    this.#isActive = true;
    this.#activations += 1;
    try {
      await driver.goOn({ ...this.engine.host(polled), stop: this.#stop });
      // The function never ends: a signal handler did.
      if (run.end !== undefined) this.end(endError(run.end));
    } catch (error) {
      if (!this.#isStopped) this.end(FlovynError.from(error));
    } finally {
      this.#isActive = false;
    }
  }
}

/** Contexts that are handed out to code; the first of them is the one of the execution. */
class HandedOut extends CallSites {
  readonly #contextFor: MockCodeParts['contextFor'];
  #first: WorkflowContext | undefined;

  constructor(contextFor: MockCodeParts['contextFor']) {
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

// Some versions of workerd have none: what is left is let go with the whole core there.
const registry =
  typeof FinalizationRegistry === 'function'
    ? new FinalizationRegistry<() => void>((close) => close())
    : undefined;

/** Calls `close` some time after nobody holds `owner` any more. */
function onceForgotten(owner: object, close: () => void): void {
  registry?.register(owner, close);
}
