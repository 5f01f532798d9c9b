import {
  complete,
  completeCancelled,
  fail,
  isFirstActivation,
  isReplaying,
  type Job,
  setSignalHandlers,
} from '../core.js';
import { CoreError, CoreTrapped, ValidationError, WorkflowCancelled } from '../errors.js';
import { textOf } from '../errors/base.js';
import { failureTypeOf, headedStack } from '../errors/recorded.js';
import type { Logger } from '../logger.js';
import type { Clock } from '../runtime/clock.js';
import { runDry } from '../runtime/run-dry.js';
import { type Checked, parseNow } from '../schema/check.js';
import type { StandardSchemaV1 } from '../schema/standard-schema.js';
import type { Serializer } from '../serde.js';
import { serializerFor } from '../serde/choose.js';
import type { Activation } from './activation.js';
import type { CallSites } from './call-sites.js';
import { cancelledWorkflow, CancelScope } from './cancel-scope.js';
import type { ContextParts } from './context-parts.js';
import type { WorkflowContext } from './context-types.js';
import { WorkflowContextImpl } from './context.js';
import type { AnyWorkflow } from './define.js';
import { Operations } from './operations.js';
import { PendingHandles } from './pending.js';
import { Turn } from './turn.js';

/** What an execution is run with. */
export interface RunParts {
  readonly definition: AnyWorkflow;
  readonly serializer: Serializer;
  readonly logger: Logger;
  readonly clock: Clock;
  /**
   * Is told that the function is called in the first activation of the execution. `input` makes what it is called with
   * anew, so that who looks at it cannot change it.
   */
  readonly onStarted?: ((input: () => unknown) => void) | undefined;
}

/** How the function of a workflow ended. */
export type WorkflowEnd =
  | { readonly type: 'completed'; readonly output: unknown }
  | { readonly type: 'failed'; readonly error: unknown }
  | { readonly type: 'cancelled'; readonly error: WorkflowCancelled };

/** The code of one execution: its function, its signal handlers, their context, and what they wait for. */
export class WorkflowRun {
  readonly turn: Turn;
  readonly pending: PendingHandles;
  readonly operations: Operations;
  readonly #activation: Activation;
  readonly #parts: RunParts;
  readonly #sites: CallSites | undefined;
  readonly #root = CancelScope.root();
  readonly #ctx: WorkflowContext;
  readonly #handlers: SignalHandlers;
  #end: WorkflowEnd | undefined;

  /** Before the first job. With `sites` it finds out where code calls its context, which is slow. */
  constructor(activation: Activation, parts: RunParts, sites?: CallSites) {
    this.#activation = activation;
    this.#parts = parts;
    this.#sites = sites;
    this.turn = new Turn(activation.id, (error) => this.#warn(error.message));
    this.pending = new PendingHandles(parts.serializer, sites);
    this.operations = new Operations(parts.serializer, parts.clock);
    this.#ctx = this.#contexts();
    this.#handlers = parts.definition.handlers?.signals ?? {};
    const handled = Object.keys(this.#handlers);
    if (handled.length > 0) setSignalHandlers(activation.id, handled);
  }

  /** Whether the function has returned or thrown. */
  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  /** How it did. */
  get end(): WorkflowEnd | undefined {
    return this.#end;
  }

  /** Whether something could wake the execution if it went to sleep now. */
  get canWake(): boolean {
    return this.hasEnded || this.pending.size > 0 || Object.keys(this.#handlers).length > 0;
  }

  /** One turn: tells the code one thing and lets it do what it can. Throws what ends the activation. */
  async give(job: Job): Promise<void> {
    this.turn.begin();
    this.#tell(job);
    await runDry();
    this.turn.end();
  }

  #tell(job: Job): void {
    switch (job[0]) {
      case 0:
        return this.#start(job[2], job[3]);
      case 1:
        this.operations.forget(job[1]);
        return this.pending.resolve(job[1], job[2]);
      case 2:
        this.operations.forget(job[1]);
        return this.pending.reject(job[1], job[2]);
      case 3:
        return this.#handle(job[3], job[2]);
      case 4:
        return this.#cancel(job[2], job[3]);
    }
  }

  #start(inputPayload: string, signals: readonly (readonly [name: string, payload: string])[] = []): void {
    const { onStarted } = this.#parts;
    const isFirst = isFirstActivation(this.#activation.id);
    if (onStarted !== undefined && isFirst) onStarted(() => this.#input(inputPayload, isFirst));
    for (const [name, payload] of signals) this.#handle(name, payload);
    this.#call(
      () => this.#parts.definition.run(this.#ctx, this.#input(inputPayload, isFirst)),
      (output) => this.#returned(output),
    );
  }

  #input(payload: string, isFirst: boolean): never {
    const { definition } = this.#parts;
    const input = serializerFor(definition, this.#parts).deserialize(payload);
    return this.#checked('input', definition.input, input, isFirst) as never;
  }

  #handle(name: string, payload: string): void {
    this.#call(
      () => this.#handlers[name]?.(this.#ctx, this.#parts.serializer.deserialize(payload)),
      () => {},
    );
  }

  /** Calls code of the workflow. What it throws, at once or later, fails the execution. */
  #call(code: () => unknown, returned: (value: unknown) => void): void {
    try {
      Promise.resolve(code()).then(returned, (error: unknown) => this.#threw(error));
    } catch (error) {
      this.#threw(error);
    }
  }

  #cancel(reasonPayload: string, handles: readonly number[]): void {
    const reason: unknown = JSON.parse(reasonPayload);
    const text = typeof reason === 'string' ? reason : undefined;
    this.#root.cancel(cancelledWorkflow(text));
    for (const handle of handles) {
      const error = cancelledWorkflow(text);
      this.operations.cancel(handle, error);
      this.pending.rejectWith(handle, error);
    }
  }

  /** The context of the root scope; it makes those of others. */
  #contexts(): WorkflowContext {
    const { definition, serializer, logger } = this.#parts;
    const { turn, pending, operations } = this;
    const shared = {
      activation: this.#activation,
      definition,
      turn,
      pending,
      operations,
      serializer,
      logger,
    };
    const children: ContextParts['children'] = new Map();
    const contextOf = (scope: CancelScope): WorkflowContext => {
      const ctx = WorkflowContextImpl.create({ ...shared, children, scope, contextOf });
      return this.#sites?.watch(ctx) ?? ctx;
    };
    return contextOf(this.#root);
  }

  #returned(returned: unknown): void {
    const { definition } = this.#parts;
    let output: unknown;
    let payload: string;
    try {
      const isNew = !isReplaying(this.#activation.id);
      output = this.#checked('output', definition.output, returned, isNew);
      payload = serializerFor(definition, this.#parts).serialize(output);
    } catch (error) {
      return this.#threw(error);
    }
    this.#endAs({ type: 'completed', output }, (id) => complete(id, payload));
  }

  /** What a schema makes of the input or output. One that is not new has fitted before. */
  #checked(
    side: Checked['side'],
    schema: StandardSchemaV1 | undefined,
    value: unknown,
    isNew: boolean,
  ): unknown {
    const { name } = this.#parts.definition;
    try {
      return parseNow(schema, value, { subject: `workflow "${name}"`, side });
    } catch (error) {
      // A change of the code fails no execution.
      if (error instanceof ValidationError && !isNew) this.turn.stop(error);
      throw error;
    }
  }

  #threw(error: unknown): void {
    if (error instanceof CoreTrapped) this.turn.stop(error);
    if (error instanceof WorkflowCancelled) {
      const reason = error.reason ?? error.message;
      return this.#endAs({ type: 'cancelled', error }, (id) => completeCancelled(id, reason));
    }
    this.#endAs({ type: 'failed', error }, (id) =>
      fail(id, textOf(error), headedStack(error), failureTypeOf(error)),
    );
  }

  /** The first end counts: a handler may fail after the function has returned, or before. */
  #endAs(end: WorkflowEnd, tellCore: (id: number) => void): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    if (this.turn.fatal !== undefined) return;
    if (!this.turn.isOpen) return this.turn.stop(this.turn.stray(this.#endedOutside()));
    try {
      tellCore(this.#activation.id);
    } catch (error) {
      this.turn.stop(error instanceof Error ? error : new CoreError('INTERNAL', textOf(error)));
    }
  }

  #endedOutside(): CoreError {
    const text =
      `Workflow "${this.#parts.definition.name}" ended outside a turn: it waited for something that Flovyn does not know ` +
      '(a fetch, a timer of the runtime). Do such work in ctx.run or in a task, and await only what the context gives';
    return new CoreError('NOT_IN_TURN', text);
  }

  #warn(text: string): void {
    const { kind, executionId } = this.#activation.info;
    if (this.#sites === undefined) this.#parts.logger.warn(`workflow ${kind} ${executionId}: ${text}`);
  }
}

type SignalHandlers = NonNullable<NonNullable<AnyWorkflow['handlers']>['signals']>;
