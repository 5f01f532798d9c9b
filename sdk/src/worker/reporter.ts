import { FlovynError } from '../errors.js';
import { textOf } from '../errors/base.js';
import type { Logger } from '../logger.js';
import type { Clock } from '../runtime/clock.js';
import type { TaskFailure } from '../task/run.js';
import type { WorkflowEnd } from '../workflow/workflow-run.js';
import { callOutside, Emitter } from './emitter.js';
import type { AbandonReason, TaskEvent, ViolationReport, WorkflowEvent } from './events.js';
import { DurationHistogram } from './histogram.js';
import type { WorkflowHook } from './hooks.js';
import { PollCounts } from './poll-counts.js';
import { ReportCounters } from './report-counters.js';

/** What a reporter is made of. */
export interface ReporterParts {
  readonly hooks: readonly WorkflowHook[];
  readonly clock: Clock;
  readonly logger: Logger;
}

/** So many executions that have begun and not yet gone on are known, so that they are not told of twice. */
const REMEMBERED = 10_000;

/** Counts what a worker does, and tells its listeners and hooks of it. */
export class Reporter {
  readonly emitter: Emitter;
  readonly polls: { readonly workflows: PollCounts; readonly tasks: PollCounts } = {
    workflows: new PollCounts(),
    tasks: new PollCounts(),
  };
  readonly activationMs: DurationHistogram = new DurationHistogram();
  readonly attemptMs: DurationHistogram = new DurationHistogram();
  readonly counts = {
    workflows: {
      started: 0,
      completed: 0,
      failed: 0,
      cancelled: 0,
      activations: 0,
      failedActivations: 0,
      parks: 0,
      violations: 0,
      queries: 0,
    },
    tasks: { started: 0, completed: 0, failed: 0 },
    abandoned: { cancelled: 0, claimLost: 0, stopped: 0, unreported: 0 },
    connection: { disconnects: 0, reconnects: 0 },
  };
  /** What tasks tell the server while they run. */
  readonly reports: ReportCounters;
  readonly #parts: ReporterParts;
  /** Executions that were told of as started, and of which nothing has been recorded yet. */
  readonly #begun = new Set<string>();

  constructor(parts: ReporterParts) {
    this.#parts = parts;
    this.emitter = new Emitter(parts.logger);
    this.reports = new ReportCounters(parts.logger);
  }

  /** The time to measure durations with, in milliseconds. */
  nowMs(): number {
    return this.#parts.clock.nowMs();
  }

  /** The function of an execution is called in its first activation. `input` makes what it is called with, for each who wants it. */
  workflowStarted(workflow: WorkflowEvent, input: () => unknown): void {
    const { workflowExecutionId: id, workflowKind: kind } = workflow;
    // The activation before came to nothing, so that this is the first one again.
    if (this.#begun.has(id)) return;
    this.#begun.add(id);
    if (this.#begun.size > REMEMBERED) this.#forgetOldest();
    this.counts.workflows.started += 1;
    this.emitter.emit('workflowStarted', workflow);
    this.#callHooks('onStarted', (hook) => hook.onStarted?.(id, kind, input()));
  }

  /** An activation came to its end, and that is recorded; with `end`, it was the end of its execution. */
  activationSucceeded(workflow: WorkflowEvent, startedMs: number, end: WorkflowEnd | undefined): void {
    this.#begun.delete(workflow.workflowExecutionId);
    this.counts.workflows.activations += 1;
    this.activationMs.add(this.nowMs() - startedMs);
    if (end !== undefined) this.#workflowEnded(workflow, end);
  }

  /** An activation did not come to its end. */
  activationFailed(startedMs: number): void {
    this.counts.workflows.failedActivations += 1;
    this.activationMs.add(this.nowMs() - startedMs);
  }

  /** An execution was recorded as failed because of what its activations met. */
  workflowFailed(workflow: WorkflowEvent, error: Error): void {
    const { workflowExecutionId: id, workflowKind: kind } = workflow;
    this.#begun.delete(id);
    this.counts.workflows.failed += 1;
    this.emitter.emit('workflowFailed', { ...workflow, error });
    this.#callHooks('onFailed', (hook) => hook.onFailed?.(id, kind, error));
  }

  /** Code and history of an execution disagree. */
  violation(report: ViolationReport): void {
    this.counts.workflows.violations += 1;
    this.emitter.emit('violation', report);
  }

  /** An attempt of a task begins. */
  taskStarted(task: TaskEvent): void {
    this.counts.tasks.started += 1;
    this.emitter.emit('taskStarted', task);
  }

  /** How an attempt ended was recorded. */
  taskEnded(task: TaskEvent, startedMs: number, failure: TaskFailure | undefined): void {
    const durationMs = this.#attemptEnded(startedMs);
    this.counts.tasks[failure === undefined ? 'completed' : 'failed'] += 1;
    if (failure === undefined) return this.emitter.emit('taskCompleted', { ...task, durationMs });
    const { error, errorType } = failure;
    this.emitter.emit('taskFailed', { ...task, durationMs, error, errorType });
  }

  /** An attempt counts no more, or how it ended was not recorded. */
  taskAbandoned(task: TaskEvent, startedMs: number, reason: AbandonReason): void {
    this.counts.abandoned[reason] += 1;
    this.emitter.emit('taskAbandoned', { ...task, durationMs: this.#attemptEnded(startedMs), reason });
  }

  #attemptEnded(startedMs: number): number {
    const durationMs = this.nowMs() - startedMs;
    this.attemptMs.add(durationMs);
    return durationMs;
  }

  #workflowEnded(workflow: WorkflowEvent, end: WorkflowEnd): void {
    const { workflowExecutionId: id, workflowKind: kind } = workflow;
    if (end.type === 'failed') return this.workflowFailed(workflow, asError(end.error));
    if (end.type === 'completed') {
      this.counts.workflows.completed += 1;
      this.emitter.emit('workflowCompleted', workflow);
      return this.#callHooks('onCompleted', (hook) => hook.onCompleted?.(id, kind, end.output));
    }
    this.counts.workflows.cancelled += 1;
    this.emitter.emit('workflowCancelled', workflow);
    this.#callHooks('onFailed', (hook) => hook.onFailed?.(id, kind, end.error));
  }

  #callHooks(name: string, call: (hook: WorkflowHook) => unknown): void {
    for (const hook of this.#parts.hooks)
      callOutside(this.#parts.logger, `${name} of a workflow hook`, () => call(hook));
  }

  #forgetOldest(): void {
    for (const oldest of this.#begun) {
      this.#begun.delete(oldest);
      return;
    }
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new FlovynError(textOf(thrown), thrown);
}
