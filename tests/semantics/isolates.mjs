import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

const ENTRY = new URL('./isolate.mjs', import.meta.url);
/** So many isolates are loaded before they are needed: loading takes longer than most rows. */
const SPARES = 3;

/**
 * Isolates of V8 to run the worker of a stage in: each has memory, a copy of the SDK and a wasm instance of its own, and
 * is ended from outside in the middle of whatever it does. What it calls and what its operations do goes over messages.
 */
export class Isolates {
  #spares = [];

  /**
   * Starts the worker of a stage in a fresh isolate; resolves once it polls.
   *
   * @param {object} given what `isolate.mjs` needs: `{ row, code, orgId, queue, replaying }`
   * @param {{ transport: object, begin: (name: string) => unknown, violated: (text: string) => void }} outside
   */
  async start(given, outside) {
    while (this.#spares.length <= SPARES) this.#spares.push(new Worker(ENTRY));
    const worker = this.#spares.shift();
    const failed = once(worker, 'error').then(([error]) => Promise.reject(error));
    failed.catch(() => {});
    const ready = new Promise((resolve) => {
      worker.on('message', (message) => {
        if (message.type === 'ready') resolve();
        else if (message.type === 'violation') outside.violated(message.text);
        else void answer(worker, message, outside);
      });
    });
    worker.postMessage({ type: 'begin', extended: outside.transport.extended, ...given });
    await Promise.race([ready, failed]);
    return { kill: () => worker.terminate() };
  }

  async close() {
    await Promise.all(this.#spares.splice(0).map((worker) => worker.terminate()));
  }
}

async function answer(worker, { id, type, ...call }, { transport, begin }) {
  const reply = (message) => worker.postMessage({ id, extended: transport.extended, ...message });
  try {
    if (type === 'operation') return reply({ value: await begin(call.name) });
    const { body, metadata } = await transport.unary(call.method, call.body, call.options);
    return reply({ value: { body, metadata } });
  } catch (error) {
    const { name, message, code, serverUrl, resourceType, resourceId, method } = error;
    return reply({ error: { name, message, code, serverUrl, resourceType, resourceId, method } });
  }
}
