import { engineClose, engineHandle, engineOpen, engineTick } from '../../src/core.js';
import { EMBEDDED_ORG_ID } from '../../src/transport/embedded.js';
import { statusError } from '../../src/transport/status.js';
import type { CallOptions, Transport, UnaryAnswer } from '../../src/transport/transport.js';

/** A server that knows nothing of our extensions: no long polls, no claim tokens, no events in answers. */
export class PlainTransport implements Transport {
  readonly extended = false;
  readonly #engine = engineOpen({ orgId: EMBEDDED_ORG_ID, orgSlug: 'default' });

  async unary(method: string, body: Uint8Array, options: CallOptions = {}): Promise<UnaryAnswer> {
    try {
      return { body: await this.#answer(method, body), metadata: {} };
    } catch (error) {
      const { grpcCode, message } = error as { grpcCode?: number; message: string };
      if (grpcCode === undefined) throw error;
      throw statusError(grpcCode, message, { method, serverUrl: 'here', subject: options.subject });
    }
  }

  async #answer(method: string, body: Uint8Array): Promise<Uint8Array> {
    const firstAttemptMs = Date.now();
    engineTick(this.#engine, firstAttemptMs);
    const attempt = { firstAttemptMs, expired: false };
    const answer = engineHandle(this.#engine, method, body, false, undefined, attempt, firstAttemptMs);
    if (answer instanceof Uint8Array) return answer;
    await new Promise((resolve) => setTimeout(resolve, 5));
    const expired = { firstAttemptMs, expired: true };
    return engineHandle(this.#engine, method, body, false, undefined, expired, Date.now()) as Uint8Array;
  }

  serverStream(): never {
    throw new Error('nothing streams here');
  }

  async close(): Promise<void> {
    engineClose(this.#engine);
  }
}
