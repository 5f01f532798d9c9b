import { FlovynError, RpcError } from '@flovyn/sdk';

/*
 * Flovyn calls over a MessagePort, so that a worker in a thread of its own reaches an engine in another thread. It is
 * the network of the embedded demo: when a thread dies, its calls under way are dropped, as a server drops those of a
 * connection that broke.
 */

/** The worker's side: a Transport. */
export class PortTransport {
  extended = true;
  #port;
  #nextId = 1;
  #waiting = new Map();

  constructor(port) {
    this.#port = port;
    port.on('message', (message) => this.#settle(message));
  }

  unary(method, body, { metadata, deadlineMs, signal } = {}) {
    const id = this.#nextId;
    this.#nextId += 1;
    const abandon = () => this.#port.postMessage({ id, abort: true });
    signal?.addEventListener('abort', abandon, { once: true });
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#port.postMessage({ id, method, body, metadata, deadlineMs });
    }).finally(() => signal?.removeEventListener('abort', abandon));
  }

  serverStream(method) {
    throw new FlovynError(`${method} streams its answers, which a port does not carry`);
  }

  async close() {
    this.#port.close();
  }

  #settle({ id, answer, error }) {
    const call = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) call?.resolve(answer);
    else
      call?.reject(
        error.grpcCode === undefined
          ? new FlovynError(error.message)
          : new RpcError(error.code, error.message),
      );
  }
}

/** The engine's side: answers the calls that come through the port until `close`, which drops those under way. */
export function servePort(port, transport) {
  const underWay = new Map();
  port.on('message', async ({ id, abort, method, body, metadata, deadlineMs }) => {
    if (abort) {
      underWay.get(id)?.abort();
      return;
    }
    const controller = new AbortController();
    underWay.set(id, controller);
    try {
      const answer = await transport.unary(method, body, { metadata, deadlineMs, signal: controller.signal });
      port.postMessage({ id, answer });
    } catch (error) {
      port.postMessage({ id, error: { code: error.code, grpcCode: error.grpcCode, message: error.message } });
    } finally {
      underWay.delete(id);
    }
  });
  return {
    close() {
      for (const controller of underWay.values()) controller.abort();
      port.close();
    },
  };
}
