import { FlovynError } from '../errors.js';
import type { CallScope } from './call-scope.js';
import type { CarriedAnswer, Carrier, CarrierRequest } from './carrier.js';
import { reason, unreachable } from './network-failure.js';
import { cutOff, type ExchangeFacts } from './status.js';

/** One request and the answer to it, as long as both live. */
export class Exchange {
  readonly facts: ExchangeFacts;
  readonly #scope: CallScope;
  readonly #carrier: Carrier;
  readonly #controller = new AbortController();
  readonly #ended: Promise<never>;
  #answer: CarriedAnswer | undefined;

  constructor(scope: CallScope, carrier: Carrier) {
    this.facts = { ...scope.facts, protocol: carrier.protocol };
    this.#scope = scope;
    this.#carrier = carrier;
    this.#ended = new Promise((_, reject) => {
      scope.onEnd((failure) => {
        reject(failure);
        this.#controller.abort(failure);
      });
    });
    // The end may come while nothing waits for it.
    this.#ended.catch(() => {});
  }

  /** `promise`, unless the call ends before it settles. A carrier that does not heed its signal cannot hold up a call. */
  async until<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([this.#ended, promise]);
  }

  /** Sends the request; resolves with the head of the answer. */
  async send(request: Pick<CarrierRequest, 'headers' | 'body' | 'repeatable'>): Promise<CarriedAnswer> {
    if (this.#scope.failure !== undefined) throw this.#scope.failure;
    const url = this.facts.serverUrl + this.facts.method;
    const answer = this.#carrier.send({ url, ...request, signal: this.#controller.signal });
    try {
      this.#answer = await this.until(answer);
      return this.#answer;
    } catch (error) {
      // An answer that comes after the end has nobody to read it.
      answer.then(
        (late) => late.discard(),
        () => {},
      );
      throw this.#failure(() => (error instanceof FlovynError ? error : unreachable(this.facts, error)));
    }
  }

  /** The next bytes of the answer; undefined at its end. */
  async read(answer: CarriedAnswer): Promise<Uint8Array | undefined> {
    try {
      return await this.until(answer.read());
    } catch (error) {
      throw this.#failure(() => cutOff(this.facts, reason(error), error));
    }
  }

  /** Lets go of everything; an answer not read to its end is discarded. */
  dispose(): void {
    this.#scope.dispose();
    this.#answer?.discard();
  }

  #failure(otherwise: () => FlovynError): FlovynError {
    return this.#scope.failure ?? otherwise();
  }
}
