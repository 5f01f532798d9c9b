import { ConnectionError } from '@flovyn/sdk';

import { JsonSerializer } from '../../sdk/dist/serde.js';
import { statusError } from '../../sdk/dist/transport/status.js';
import { Reporter } from '../../sdk/dist/worker/reporter.js';
import { WorkflowWorker } from '../../sdk/dist/worker/workflow-worker.js';
import { ORG_ID, QUEUE } from './engine.mjs';
import { interpreter } from './interpreter.mjs';

const SERVER = 'the engine';
/** A parent and a child of it may be under way in one worker. */
const MAX_CONCURRENT = 2;

/**
 * A process with a workflow worker of the SDK. Its calls wait in `calls` until the schedule answers them, its operations
 * in `operations` until the schedule ends them.
 */
export class SimulatedWorker {
  calls = [];
  operations = [];
  /** What the run of the function that an execution has here now saw, by execution. */
  traces = new Map();
  /** What plain claims have given, by execution: nothing in what is said under one names it. */
  plainClaims = new Map();
  isAlive = true;
  isStopping = false;
  codeVersion;
  #worker;

  /** @param {import('./world.mjs').World} world */
  constructor(world, name, { extended = true, ...options } = {}) {
    this.name = name;
    this.extended = extended;
    this.codeVersion = world.codeVersion;
    const parts = {
      transport: this.#transport(world),
      orgId: ORG_ID,
      queue: QUEUE,
      serializer: new JsonSerializer(),
      codec: undefined,
      clock: world.clock,
      logger: world.logger(name),
      workerId: () => name,
      watcher: { failed() {}, succeeded() {}, ended() {} },
    };
    const { clock, logger } = parts;
    parts.reporter = new Reporter({ hooks: [], clock, logger });
    const definition = interpreter((executionId, trace) => this.#begin(world, executionId, trace));
    this.#worker = new WorkflowWorker(parts, new Map([[definition.name, definition]]), {
      maxConcurrent: MAX_CONCURRENT,
      onViolation: ({ violation }) => world.complain(`${name}: ${violation.message}`),
      ...options,
    });
    this.#worker.start();
  }

  get isBusy() {
    return this.#worker.activeExecutions.length > 0;
  }

  /** Everything in memory is gone, and nothing that it still does reaches anybody. */
  kill() {
    this.isAlive = false;
    for (const call of this.calls.splice(0))
      call.reject(new ConnectionError('the process was killed', SERVER));
    this.operations = [];
    this.#end();
  }

  /** Gives back what it has claimed and ends. */
  stop() {
    this.isStopping = true;
    this.#end();
  }

  #end() {
    void this.#worker.stop();
    this.#worker.abort();
    this.#worker.close();
  }

  #begin(world, executionId, trace) {
    world.activity += 1;
    world.count('faults', 'run of the function');
    this.traces.set(executionId, trace);
    return {
      program: world.program,
      codeVersion: this.codeVersion,
      asksTasksToStop: world.asksTasksToStop,
      tookOldWay: () => {
        world.tookOldWay = true;
      },
      note: (what) => {
        world.activity += 1;
        world.noted(what);
      },
      operation: (name, occurrence) => this.#operation(world, executionId, name, occurrence),
    };
  }

  #operation(world, executionId, name, occurrence) {
    world.activity += 1;
    const what = `operation ${name} #${occurrence} of ${world.nameOf(executionId)}`;
    return new Promise((resolve, reject) => {
      if (this.isAlive) this.operations.push({ worker: this, what, resolve, reject });
    });
  }

  #transport(world) {
    return {
      extended: this.extended,
      isInProcess: true,
      unary: (method, body, { metadata, signal, subject } = {}) =>
        new Promise((resolve, reject) => {
          world.activity += 1;
          if (!this.isAlive || signal?.aborted) return reject(new ConnectionError('too late', SERVER));
          const onAbort = () => {
            this.calls.splice(this.calls.indexOf(call), 1);
            reject(new ConnectionError('the call was given up', SERVER));
          };
          const settling = (settle) => (value) => {
            signal?.removeEventListener('abort', onAbort);
            settle(value);
          };
          const claim = metadata?.['flovyn-claim'];
          const ends = { resolve: settling(resolve), reject: settling(reject) };
          const call = { worker: this, method, body, claim, subject, ...ends };
          signal?.addEventListener('abort', onAbort, { once: true });
          this.calls.push(call);
        }),
      close: async () => {},
    };
  }
}

/** Gives a call the answer of the engine. */
export function answer(call, { body, refused, message }) {
  if (body !== undefined) return call.resolve({ body, metadata: {} });
  call.reject(
    statusError(refused, message, { method: call.method, serverUrl: SERVER, subject: call.subject }),
  );
}

/** Ends a call as if the network had failed. */
export function cut(call) {
  call.reject(new ConnectionError('the connection was cut', SERVER));
}
