import { encodePollWorkflow, type Polled, pollPeek } from '../core.js';
import { Method, WAIT_MARGIN_MS } from '../rpc/methods.js';
import { holding } from '../runtime/clock.js';
import type { AnyWorkflow } from '../workflow/define.js';
import { ActivationFailures } from './activation-failures.js';
import type { ExecutionCacheMetrics } from './cache-metrics.js';
import { Executions, type PolledWork } from './executions.js';
import { cacheLimits, pollLimits, type WorkflowWorkerOptions } from './options.js';
import { EncodedOnce } from './encoded-once.js';
import { POLL_SECONDS, PollLoop } from './poll-loop.js';
import { answerPolledQuery, haveQueryHandlers } from './query-answers.js';
import type { Claimant } from './sweep.js';
import { WorkflowClaim } from './workflow-claim.js';
import type { WorkerParts } from './worker-parts.js';
import { WorkerStopped } from './worker-stopped.js';

/** Claims executions of the registered kinds and runs an activation of each. */
export class WorkflowWorker {
  readonly #parts: WorkerParts;
  readonly #definitions: ReadonlyMap<string, AnyWorkflow>;
  readonly #answersQueries: boolean;
  readonly #keepsExecutions: boolean;
  readonly #loop: PollLoop<PolledWork>;
  readonly #executions: Executions;
  readonly #failures: ActivationFailures;
  readonly #kinds: readonly string[];
  readonly #pollRequest = new EncodedOnce(encodePollWorkflow);
  /** With their executions. One execution has two when its first claim ran out and it came here again. */
  readonly #claims = new Map<WorkflowClaim, string>();

  constructor(
    parts: WorkerParts,
    definitions: ReadonlyMap<string, AnyWorkflow>,
    options: WorkflowWorkerOptions,
  ) {
    this.#parts = parts;
    this.#definitions = definitions;
    this.#kinds = [...definitions.keys()];
    this.#answersQueries = haveQueryHandlers(definitions.values());
    const limits = cacheLimits(options);
    this.#keepsExecutions = limits.maxCount > 0;
    this.#executions = new Executions(parts, definitions, limits);
    this.#failures = new ActivationFailures(options, parts.logger, parts.reporter);
    this.#loop = new PollLoop({
      what: 'workflows',
      ...pollLimits(options, parts.transport),
      poll: (signal, seconds) => this.#poll(signal, seconds),
      work: (work) => this.#work(work),
      giveBack: (work) => this.#giveBack(work),
      clock: parts.clock,
      counts: parts.reporter.polls.workflows,
      watcher: parts.watcher,
    });
  }

  /** Ids of the executions with an activation under way. */
  get activeExecutions(): string[] {
    return [...new Set(this.#claims.values())];
  }

  /** What became of the executions that are kept between activations. */
  get cacheMetrics(): ExecutionCacheMetrics {
    return this.#executions.metrics;
  }

  /** How many polls wait. */
  get waitingPolls(): number {
    return this.#loop.waiting;
  }

  /** What a sweep claims executions by. */
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

  /** Resolves when no activation is under way. */
  async drain(): Promise<void> {
    await this.#loop.drain();
  }

  /** Ends activations under way; their executions are offered to other workers at once. */
  abort(): void {
    for (const claim of this.#claims.keys()) claim.giveUp(new WorkerStopped());
  }

  /** Lets go of the executions that are kept. */
  close(): void {
    this.#executions.close();
  }

  async #poll(signal: AbortSignal, seconds: number): Promise<PolledWork | undefined> {
    const deadlineMs = seconds * 1_000 + WAIT_MARGIN_MS;
    const options = { signal, deadlineMs, repeatable: true };
    const answer = await this.#parts.transport.unary(Method.PollWorkflow, this.#request(seconds), options);
    return peeked(answer.body);
  }

  /** The bytes of a poll. */
  #request(timeoutSeconds = POLL_SECONDS): Uint8Array {
    const { transport, orgId, queue, workerId } = this.#parts;
    const { extended } = transport;
    return this.#pollRequest.bytes({
      workerId: workerId(),
      orgId,
      queue,
      timeoutSeconds,
      workflowCapabilities: this.#kinds,
      longPoll: extended,
      continuesExecutions: extended && this.#keepsExecutions,
      answersQueries: extended && this.#answersQueries,
    });
  }

  /** Runs an activation or answers a query; gives the work that came with the answer to its last submission. */
  async #work(work: PolledWork): Promise<PolledWork | undefined> {
    const { polled } = work;
    if (isQuery(polled)) {
      this.#parts.reporter.counts.workflows.queries += 1;
      const definition = this.#definitions.get(polled.kind);
      await holding(this.#parts.clock, () => answerPolledQuery(this.#parts, definition, polled));
      return undefined;
    }
    return this.#activate(work);
  }

  async #activate(work: PolledWork): Promise<PolledWork | undefined> {
    const { polled } = work;
    const { reporter } = this.#parts;
    const claim = this.#claim(polled);
    const startedMs = reporter.nowMs();
    this.#claims.set(claim, polled.executionId);
    try {
      const end = await this.#executions.activate(work, claim);
      this.#failures.succeeded(polled);
      const { executionId: workflowExecutionId, kind: workflowKind } = polled;
      reporter.activationSucceeded({ workflowExecutionId, workflowKind }, startedMs, end);
      const next = claim.takeNext();
      return next && peeked(next);
    } catch (error) {
      reporter.activationFailed(startedMs);
      await this.#failures.failed(polled, claim, claim.stop.reason ?? error);
      return undefined;
    } finally {
      claim.end();
      this.#claims.delete(claim);
    }
  }

  /** What came when the worker had been told to stop goes to other workers at once. */
  async #giveBack(work: PolledWork): Promise<void> {
    const claim = this.#claim(work.polled);
    // A query cannot be given back, and without a token nothing can.
    if (!claim.isNumbered) return void (await this.#work(work));
    try {
      await claim.release(new WorkerStopped().message, 0);
    } catch (error) {
      this.#failures.ignore(work.polled, error);
    }
  }

  #claim(polled: Polled): WorkflowClaim {
    const { transport, clock, logger } = this.#parts;
    const nextPoll = (): Uint8Array | undefined =>
      transport.extended && this.#loop.asksForNext ? this.#request() : undefined;
    return new WorkflowClaim(polled, transport, clock, logger, nextPoll);
  }
}

function peeked(answer: Uint8Array): PolledWork | undefined {
  const polled = pollPeek(answer);
  return polled && { polled, answer };
}

function isQuery(polled: Polled): polled is Polled & { readonly query: NonNullable<Polled['query']> } {
  return polled.query !== undefined;
}
