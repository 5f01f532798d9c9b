import {
  decodeRegisterWorker,
  encodeRegisterWorker,
  encodeSendHeartbeat,
  type RegisteredWorker,
} from '../core.js';
import type { Duration } from '../duration.js';
import { FlovynError, NotFoundError } from '../errors.js';
import { textOf } from '../errors/base.js';
import type { Logger } from '../logger.js';
import { CALL_DEADLINE_MS, Method } from '../rpc/methods.js';
import { retrying } from '../rpc/retrying.js';
import type { Clock } from '../runtime/clock.js';
import { randomId } from '../runtime/random-id.js';
import type { AnyTask } from '../task/define.js';
import { jsonSchemaOf } from '../schema/json-schema.js';
import type { Transport } from '../transport/transport.js';
import type { AnyWorkflow } from '../workflow/define.js';
import { Backoff } from './backoff.js';
import type { ConflictEvent, RegistrationConflict } from './events.js';
import { haveQueryHandlers, queryNames } from './query-answers.js';

/** What is registered, and where. */
export interface RegistrationParts {
  readonly transport: Transport;
  readonly orgId: string;
  readonly workflows: ReadonlyMap<string, AnyWorkflow>;
  readonly tasks: ReadonlyMap<string, AnyTask>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onConflicts: (event: ConflictEvent) => void;
}

/** The version that this package reports as the worker's. */
const WORKER_VERSION = '0.1.0';

/** The version of a workflow that does not name one, the same for the workers of every SDK. */
const DEFAULT_VERSION = '1.0.0';

/** The field has 32 bits. */
const LONGEST_TIMEOUT_SECONDS = 2 ** 31 - 1;

/** A worker is OFFLINE after 60 s without a sign of life, which a worker at its limit gives by no poll. */
const HEARTBEAT_MS = 20_000;

/** A server that cannot be reached is tried this often, within a few seconds. */
const MAX_ATTEMPTS = 6;
const FIRST_RETRY_MS = 200;
const LONGEST_RETRY_MS = 3_000;

/** A worker as the server knows it: registered at the start, again if the server has forgotten it. */
export class Registration {
  readonly #parts: RegistrationParts;
  // Unique per process: processes under one name would be one worker to the server.
  readonly #name = `flovyn-js-${randomId()}`;
  #workerId = '';
  #stopTimer = (): void => {};
  #stopped = false;
  #isBeating = false;
  #toldConflicts = '';

  constructor(parts: RegistrationParts) {
    this.#parts = parts;
  }

  /** The id that the server gave. */
  get workerId(): string {
    return this.#workerId;
  }

  /** Registers, and tells the server from then on that the worker is alive. */
  async start(signal?: AbortSignal): Promise<void> {
    const wasExtended = this.#parts.transport.extended;
    await this.#register(signal);
    // Only its first answer says that the server knows of queries that workers answer.
    if (!wasExtended && this.#parts.transport.extended && haveQueryHandlers(this.#parts.workflows.values()))
      await this.#register(signal);
    this.#arm();
  }

  /** Tells the server now that the worker is alive, as after an outage: a server that has forgotten it hears of it again. */
  checkIn(): void {
    if (this.#stopped || this.#isBeating) return;
    this.#stopTimer();
    void this.#beat();
  }

  /** Says nothing more to the server. */
  stop(): void {
    this.#stopped = true;
    this.#stopTimer();
  }

  async #register(signal?: AbortSignal): Promise<void> {
    const { orgId, workflows, tasks, transport } = this.#parts;
    const capability = (definition: AnyWorkflow) => workflowCapability(definition, transport.extended);
    const request = encodeRegisterWorker({
      workerName: this.#name,
      workerVersion: WORKER_VERSION,
      workerType: workerType(workflows.size > 0, tasks.size > 0),
      orgId,
      hostName: '',
      processId: '',
      workflows: await Promise.all([...workflows.values()].map(capability)),
      tasks: [...tasks.values()].map(taskCapability),
    });
    const backoff = new Backoff(FIRST_RETRY_MS, LONGEST_RETRY_MS);
    // Registering twice under one name is registering once, and a server that is being restarted is soon there.
    const options = { clock: this.#parts.clock, backoff, maxAttempts: MAX_ATTEMPTS, signal };
    const answer = decodeRegisterWorker(
      await retrying(options, () => this.#call(Method.RegisterWorker, request, signal)),
    );
    if (!answer.success)
      throw new FlovynError(`The server did not register the worker: ${answer.error ?? 'no reason given'}`);
    this.#tellConflicts(answer);
    this.#workerId = answer.workerId;
  }

  /** Once for the same conflicts, however often the worker registers. */
  #tellConflicts(answer: RegisteredWorker): void {
    const conflicts = conflictsOf(answer);
    const list = conflicts.map(({ type, kind, reason }) => `${type} "${kind}" (${reason})`).join(', ');
    if (list === this.#toldConflicts) return;
    this.#toldConflicts = list;
    if (conflicts.length === 0) return;
    this.#parts.logger.warn(`other workers have registered differently: ${list}`);
    this.#parts.onConflicts({ conflicts });
  }

  #arm(): void {
    if (this.#stopped) return;
    const beat = (): void => void this.#beat();
    this.#stopTimer = this.#parts.clock.schedule(HEARTBEAT_MS, beat, { keepAlive: false, upkeep: true });
  }

  async #beat(): Promise<void> {
    const { workflows, tasks, logger } = this.#parts;
    const kinds = { workflowKinds: [...workflows.keys()], taskKinds: [...tasks.keys()] };
    this.#isBeating = true;
    try {
      await this.#call(Method.SendHeartbeat, encodeSendHeartbeat({ workerId: this.#workerId, ...kinds }));
    } catch (error) {
      if (error instanceof NotFoundError) await this.#registerAgain();
      else logger.debug(`the worker's heartbeat did not reach the server: ${textOf(error)}`);
    }
    this.#isBeating = false;
    this.#arm();
  }

  async #registerAgain(): Promise<void> {
    try {
      await this.#register();
    } catch (error) {
      this.#parts.logger.warn(
        `the server has forgotten this worker, and did not register it: ${textOf(error)}`,
      );
    }
  }

  async #call(method: string, request: Uint8Array, signal?: AbortSignal): Promise<Uint8Array> {
    const subject = { type: 'Worker', id: this.#workerId };
    const options = { deadlineMs: CALL_DEADLINE_MS, subject, signal, repeatable: true };
    return (await this.#parts.transport.unary(method, request, options)).body;
  }
}

function conflictsOf({ workflowConflicts, taskConflicts }: RegisteredWorker): RegistrationConflict[] {
  return [
    ...workflowConflicts.map((conflict) => ({ type: 'workflow' as const, ...conflict })),
    ...taskConflicts.map((conflict) => ({ type: 'task' as const, ...conflict })),
  ];
}

function workerType(hasWorkflows: boolean, hasTasks: boolean): string {
  if (hasWorkflows && hasTasks) return 'unified';
  return hasWorkflows ? 'workflow' : 'task';
}

async function workflowCapability(definition: AnyWorkflow, extended: boolean) {
  const { name, description = '', version = DEFAULT_VERSION, timeout } = definition;
  return {
    kind: name,
    name,
    description,
    timeoutSeconds: timeoutSeconds(timeout),
    cancellable: true,
    tags: [],
    version,
    contentHash: await sha256Hex(`${name}:${version}`),
    ...schemas(definition),
    queryNames: extended ? queryNames(definition) : undefined,
  };
}

function taskCapability(definition: AnyTask) {
  const { name, description = '', timeout } = definition;
  return {
    kind: name,
    name,
    description,
    timeoutSeconds: timeoutSeconds(timeout),
    cancellable: true,
    tags: [],
    ...schemas(definition),
  };
}

function schemas({ input, output }: Pick<AnyWorkflow | AnyTask, 'input' | 'output'>) {
  // What a sender may give, and what a receiver gets.
  return { inputSchema: jsonSchemaOf(input, 'input'), outputSchema: jsonSchemaOf(output, 'output') };
}

function timeoutSeconds(timeout: Duration | undefined): number | undefined {
  return timeout === undefined
    ? undefined
    : Math.min(Math.ceil(timeout.toSeconds()), LONGEST_TIMEOUT_SECONDS);
}

/** Empty in pages without TLS, which have no digests. */
async function sha256Hex(text: string): Promise<string> {
  if (crypto.subtle === undefined) return '';
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
