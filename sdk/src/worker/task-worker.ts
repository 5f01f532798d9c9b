import { decodeOne, encodeOne, encodeText } from '../codec.js';
import { type ClaimedTask, decodePollTask, encodePollTask } from '../core.js';
import { FlovynError } from '../errors.js';
import { textOf } from '../errors/base.js';
import { isClaimLost } from '../rpc/failures.js';
import { Method, WAIT_MARGIN_MS } from '../rpc/methods.js';
import type { AnyTask } from '../task/define.js';
import { runTask, type TaskOutcome } from '../task/run.js';
import { pollLimits, type TaskWorkerOptions } from './options.js';
import { PollLoop } from './poll-loop.js';
import { TaskClaim } from './task-claim.js';
import { POLL_SECONDS, type WorkerParts } from './worker-parts.js';

/** Claims tasks of the registered kinds and runs an attempt of each. */
export class TaskWorker {
  readonly #parts: WorkerParts;
  readonly #definitions: ReadonlyMap<string, AnyTask>;
  readonly #loop: PollLoop<ClaimedTask>;
  readonly #claims = new Map<string, TaskClaim>();

  constructor(parts: WorkerParts, definitions: ReadonlyMap<string, AnyTask>, options: TaskWorkerOptions) {
    this.#parts = parts;
    this.#definitions = definitions;
    this.#loop = new PollLoop({
      what: 'tasks',
      ...pollLimits(options, parts.transport),
      poll: (signal) => this.#poll(signal),
      work: (task) => this.#attempt(task),
      // The server has counted the attempt: it is better made than given back.
      giveBack: async (task) => this.#attempt(task),
      clock: parts.clock,
      logger: parts.logger,
    });
  }

  /** Ids of the tasks with an attempt under way. */
  get activeExecutions(): string[] {
    return [...this.#claims.keys()];
  }

  start(): void {
    this.#loop.start();
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
    for (const claim of this.#claims.values()) claim.giveUp(new FlovynError('The worker was stopped'));
  }

  async #poll(signal: AbortSignal): Promise<ClaimedTask | undefined> {
    const { transport, orgId, queue, workerId } = this.#parts;
    const request = encodePollTask({
      workerId: workerId(),
      orgId,
      queue,
      timeoutSeconds: POLL_SECONDS,
      longPoll: transport.extended,
    });
    const deadlineMs = POLL_SECONDS * 1_000 + WAIT_MARGIN_MS;
    const answer = await transport.unary(Method.PollTask, request, { signal, deadlineMs });
    return decodePollTask(answer.body);
  }

  async #attempt(task: ClaimedTask): Promise<undefined> {
    const { transport, clock, logger } = this.#parts;
    const claim = new TaskClaim(task, transport, clock, logger);
    this.#claims.set(task.taskExecutionId, claim);
    try {
      const outcome = await this.#run(task, claim);
      // A worker that stops still holds its claims: what it has done need not be done again by another.
      if (claim.isLost || !('output' in outcome)) claim.signal.throwIfAborted();
      await claim.report(outcome);
    } catch (error) {
      const level = claim.signal.aborted || isClaimLost(error) ? 'debug' : 'warn';
      logger[level](`task ${task.kind} ${task.taskExecutionId}: its end was not reported: ${textOf(error)}`);
    } finally {
      claim.end();
      if (this.#claims.get(task.taskExecutionId) === claim) this.#claims.delete(task.taskExecutionId);
    }
  }

  async #run(task: ClaimedTask, claim: TaskClaim): Promise<TaskOutcome> {
    const { serializer, clock, logger, codec } = this.#parts;
    const definition = this.#definitions.get(task.kind);
    if (definition === undefined) {
      const error = `Task "${task.kind}" is not registered with the worker that got it`;
      return { error, errorType: 'NotRegistered', retryable: true };
    }
    const { taskExecutionId, kind: taskKind, executionCount: attempt } = task;
    const context = {
      taskExecutionId,
      taskKind,
      attempt,
      signal: claim.signal,
      heartbeat: () => claim.heartbeat(),
      logger,
    };
    const input = await decodeOne(codec, task.input);
    const outcome = await runTask(definition, input, context, serializer, clock);
    if ('output' in outcome) return { output: await encodeOne(codec, outcome.output) };
    return { ...outcome, error: await encodeText(codec, outcome.error) };
  }
}
