import { decodeOne, encodeOne, encodeText } from '../codec.js';
import { type ClaimedTask, decodePollTask, encodePollTask } from '../core.js';
import { TaskCancelled } from '../errors.js';
import { textOf } from '../errors/base.js';
import type { LogLevel } from '../logger.js';
import { holding } from '../runtime/clock.js';
import { isClaimLost } from '../rpc/failures.js';
import { Method, WAIT_MARGIN_MS } from '../rpc/methods.js';
import type { AnyTask } from '../task/define.js';
import { type AttemptParts, runTask, type TaskOutcome } from '../task/run.js';
import { ClaimedTaskState } from './claimed-state.js';
import { pollLimits, type TaskWorkerOptions } from './options.js';
import { EncodedOnce } from './encoded-once.js';
import type { AbandonReason } from './events.js';
import { POLL_SECONDS, PollLoop } from './poll-loop.js';
import { TaskClaim } from './task-claim.js';
import { AttemptReports } from './task-reports.js';
import type { Claimant } from './sweep.js';
import type { WorkerParts } from './worker-parts.js';
import { WorkerStopped } from './worker-stopped.js';

/** Claims tasks of the registered kinds and runs an attempt of each. */
export class TaskWorker {
  readonly #parts: WorkerParts;
  readonly #definitions: ReadonlyMap<string, AnyTask>;
  readonly #loop: PollLoop<ClaimedTask>;
  readonly #logLevel: LogLevel;
  readonly #pollRequest = new EncodedOnce(encodePollTask);
  /** With their tasks. One task has two when its first claim ran out and it came here again. */
  readonly #claims = new Map<TaskClaim, string>();

  constructor(parts: WorkerParts, definitions: ReadonlyMap<string, AnyTask>, options: TaskWorkerOptions) {
    this.#parts = parts;
    this.#definitions = definitions;
    this.#logLevel = options.serverLogLevel ?? 'info';
    this.#loop = new PollLoop({
      what: 'tasks',
      ...pollLimits(options, parts.transport),
      poll: (signal, seconds) => this.#poll(signal, seconds),
      work: (task) => holding(parts.clock, () => this.#attempt(task)),
      giveBack: (task) => this.#giveBack(task),
      clock: parts.clock,
      counts: parts.reporter.polls.tasks,
      watcher: parts.watcher,
    });
  }

  /** Ids of the tasks with an attempt under way. */
  get activeExecutions(): string[] {
    return [...new Set(this.#claims.values())];
  }

  /** How many polls wait. */
  get waitingPolls(): number {
    return this.#loop.waiting;
  }

  /** What a sweep claims tasks by. */
  get claimant(): Claimant {
    return this.#loop;
  }

  start(): void {
    this.#loop.start();
  }

  /** Claims nothing more until the next start. */
  async pause(): Promise<void> {
    await this.#loop.pause();
  }

  /** Claims nothing more. */
  async stop(): Promise<void> {
    await this.#loop.stop();
  }

  /** Resolves when no attempt is under way. */
  async drain(): Promise<void> {
    await this.#loop.drain();
  }

  /** Fires the signals of attempts under way. */
  abort(): void {
    for (const claim of this.#claims.keys()) claim.giveUp(new WorkerStopped());
  }

  async #poll(signal: AbortSignal, seconds: number): Promise<ClaimedTask | undefined> {
    const deadlineMs = seconds * 1_000 + WAIT_MARGIN_MS;
    const answer = await this.#parts.transport.unary(Method.PollTask, this.#request(seconds), {
      signal,
      deadlineMs,
      repeatable: true,
    });
    return decodePollTask(answer.body);
  }

  /** The bytes of a poll. */
  #request(timeoutSeconds = POLL_SECONDS): Uint8Array {
    const { transport, orgId, queue, workerId } = this.#parts;
    return this.#pollRequest.bytes({
      workerId: workerId(),
      orgId,
      queue,
      timeoutSeconds,
      longPoll: transport.extended,
    });
  }

  /** The task that the server gave with the answer to this one's end. */
  async #attempt(task: ClaimedTask): Promise<ClaimedTask | undefined> {
    const claim = this.#claim(task);
    const { reporter } = this.#parts;
    const startedMs = reporter.nowMs();
    const { taskExecutionId, kind: taskKind, executionCount: attempt } = task;
    const event = { taskExecutionId, taskKind, attempt };
    this.#claims.set(claim, taskExecutionId);
    reporter.taskStarted(event);
    try {
      const outcome = await this.#run(task, claim);
      // A worker that stops still holds its claims: what it has done need not be done again by another.
      if (claim.isOver || !('output' in outcome)) claim.stop.throwIfFired();
      const next = await claim.report(outcome, this.#takesNext ? this.#request() : undefined);
      reporter.taskEnded(event, startedMs, 'output' in outcome ? undefined : outcome);
      return next;
    } catch (error) {
      reporter.taskAbandoned(event, startedMs, abandonReason(claim.stop.reason, error));
      await this.#unreported(task, claim, error);
      return undefined;
    } finally {
      claim.end();
      this.#claims.delete(claim);
    }
  }

  get #takesNext(): boolean {
    return this.#parts.transport.extended && this.#loop.asksForNext;
  }

  async #unreported(task: ClaimedTask, claim: TaskClaim, error: unknown): Promise<void> {
    const { reason } = claim.stop;
    if (reason instanceof WorkerStopped) return this.#release(task, claim);
    if (reason instanceof TaskCancelled) return this.#log('debug', task, 'it was cancelled');
    const level = reason !== undefined || isClaimLost(error) ? 'debug' : 'warn';
    this.#log(level, task, `its end was not reported: ${textOf(error)}`);
  }

  /** What came when the worker had been told to stop goes to other workers at once. */
  async #giveBack(task: ClaimedTask): Promise<void> {
    const claim = this.#claim(task);
    // Without a token nothing can be given back.
    if (claim.isNumbered) await this.#release(task, claim);
    else await this.#attempt(task);
  }

  async #release(task: ClaimedTask, claim: TaskClaim): Promise<void> {
    try {
      if (claim.isNumbered) await claim.release();
    } catch (error) {
      this.#log('debug', task, `its claim was not given back, and ends by itself: ${textOf(error)}`);
    }
  }

  #claim(task: ClaimedTask): TaskClaim {
    const { transport, clock, logger } = this.#parts;
    return new TaskClaim(task, transport, clock, logger);
  }

  async #run(task: ClaimedTask, claim: TaskClaim): Promise<TaskOutcome> {
    const { codec } = this.#parts;
    const definition = this.#definitions.get(task.kind);
    if (definition === undefined) {
      const error = `Task "${task.kind}" is not registered with the worker that got it`;
      return { error, errorType: 'NotRegistered', retryable: true };
    }
    const decoded = async (payload: string): Promise<string> =>
      codec === undefined ? payload : decodeOne(codec, payload);
    const details = task.heartbeatDetails;
    const heartbeatDetails = details === undefined ? undefined : await decoded(details);
    const reports = this.#reports(task, claim);
    const parts = { ...this.#attemptParts(task, claim, definition), heartbeatDetails, reports };
    const outcome = await runTask(definition, await decoded(task.input), parts);
    await reports.close();
    if (codec === undefined) return outcome;
    if ('output' in outcome) return { output: await encodeOne(codec, outcome.output) };
    const { error, stackTrace } = outcome;
    return {
      ...outcome,
      error: await encodeText(codec, error),
      stackTrace: stackTrace && (await encodeText(codec, stackTrace)),
    };
  }

  #attemptParts(
    task: ClaimedTask,
    claim: TaskClaim,
    definition: AnyTask,
  ): Omit<AttemptParts, 'heartbeatDetails' | 'reports'> {
    const { serializer, clock, logger, codec } = this.#parts;
    const heartbeat = async (details?: unknown): Promise<void> => {
      const payload = details === undefined ? undefined : serializer.serialize(details);
      await claim.heartbeat(payload && (await encodeOne(codec, payload)));
    };
    return {
      taskExecutionId: task.taskExecutionId,
      taskKind: task.kind,
      attempt: task.executionCount,
      stop: claim.stop,
      isOver: () => claim.isOver,
      heartbeat,
      state: new ClaimedTaskState(task.taskExecutionId, claim, serializer, codec),
      // What the schedule asked for; servers that do not know it leave it to the definition.
      timeoutMs: task.startToCloseTimeoutMs || definition.timeout?.toWholeMilliseconds(),
      serializer,
      clock,
      logger,
    };
  }

  #reports(task: ClaimedTask, claim: TaskClaim): AttemptReports {
    const { transport, serializer, codec, clock, reporter } = this.#parts;
    const [logLevel, counters] = [this.#logLevel, reporter.reports];
    const isExtended = (): boolean => transport.extended;
    return new AttemptReports({ task, claim, isExtended, serializer, codec, logLevel, counters, clock });
  }

  #log(level: 'debug' | 'warn', { kind, taskExecutionId }: ClaimedTask, text: string): void {
    this.#parts.logger[level](`task ${kind} ${taskExecutionId}: ${text}`);
  }
}

/** Why an attempt is not recorded, by why it was told to stop and what it met. */
function abandonReason(stopped: Error | undefined, error: unknown): AbandonReason {
  if (stopped instanceof WorkerStopped) return 'stopped';
  if (stopped instanceof TaskCancelled) return 'cancelled';
  return stopped !== undefined || isClaimLost(error) ? 'claimLost' : 'unreported';
}
