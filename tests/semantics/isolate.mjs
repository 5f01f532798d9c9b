import { parentPort } from 'node:worker_threads';
import {
  AuthenticationError,
  ConnectionError,
  FlovynClient,
  NotFoundError,
  RpcError,
  silentLogger,
} from '@flovyn/sdk';

import { rows } from '../conformance/semantics.mjs';
import { definitionsOf } from '../conformance/stage.mjs';

/** The worker of a stage, alone in an isolate: see isolates.mjs, which is its world. */
const waiting = new Map();
let calls = 0;
let extended = false;

// Handles that nobody awaits may be rejected, as in the isolate of the stage.
process.on('unhandledRejection', () => {});
parentPort.on('message', (message) => {
  if (message.type === 'begin') return void begin(message);
  extended = message.extended;
  const { resolve, reject } = waiting.get(message.id);
  waiting.delete(message.id);
  return message.error ? reject(revived(message.error)) : resolve(message.value);
});

async function begin({ row: name, code, orgId, queue, replaying, ...given }) {
  extended = given.extended;
  const row = rows.find((one) => one.name === name);
  const client = new FlovynClient({
    transport,
    orgId,
    queue,
    logger: silentLogger,
    workflowWorkerOptions: {
      alwaysReplay: replaying,
      onViolation: ({ violation }) => parentPort.postMessage({ type: 'violation', text: violation.message }),
    },
  });
  for (const definition of definitionsOf(row, code, operation(row))) client.registerWorkflow(definition);
  await client.start();
  parentPort.postMessage({ type: 'ready' });
}

/** What an operation of a row does: the stage is told, and says when a held one ends. */
function operation({ held = [] }) {
  return (name) => {
    const ended = ask({ type: 'operation', name });
    return held.includes(name) ? ended : null;
  };
}

const transport = {
  get extended() {
    return extended;
  },
  unary(method, body, { signal, ...options } = {}) {
    const answered = ask({ type: 'call', method, body, options });
    if (!signal) return answered;
    return new Promise((resolve, reject) => {
      const abort = () => reject(new RpcError('CANCELLED', 'given up'));
      if (signal.aborted) abort();
      signal.addEventListener('abort', abort, { once: true });
      answered.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
    });
  },
  serverStream() {
    throw new Error('nothing streams here');
  },
  close: async () => {},
};

function ask(message) {
  calls += 1;
  const id = calls;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    parentPort.postMessage({ id, ...message });
  });
}

/** Errors lose their class on the way. */
function revived({ name, message, code, serverUrl, resourceType, resourceId, method }) {
  switch (name) {
    case 'ConnectionError':
      return new ConnectionError(message, serverUrl);
    case 'AuthenticationError':
      return new AuthenticationError(message);
    case 'NotFoundError':
      return new NotFoundError(resourceType, resourceId);
    case 'RpcError':
      return new RpcError(code, message, { method });
    default:
      return new Error(message);
  }
}
