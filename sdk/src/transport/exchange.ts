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
  #answer: CarriedAnswer | undefined;

  constructor(scope: CallScope, carrier: Carrier) {
    this.facts = { ...scope.facts, protocol: carrier.protocol };
    this.#scope = scope;
    this.#carrier = carrier;
  }

  /** Sends the request; resolves with the head of the answer. */
  async send(request: Pick<CarrierRequest, 'headers' | 'body' | 'repeatable'>): Promise<CarriedAnswer> {
    const scope = this.#scope;
    const early = scope.failure;
    if (early !== undefined) throw early;
    const url = this.facts.serverUrl + this.facts.method;
    try {
      this.#answer = await this.#carrier.send({ url, ...request, scope });
      return this.#answer;
    } catch (error) {
      const failure = scope.failure ?? (error instanceof FlovynError ? error : undefined);
      throw failure ?? unreachable(this.facts, error);
    }
  }

  /** The next bytes of the answer; undefined at its end. */
  async read(answer: CarriedAnswer): Promise<Uint8Array | undefined> {
    try {
      return await answer.read();
    } catch (error) {
      throw this.#scope.failure ?? cutOff(this.facts, reason(error), error);
    }
  }

  /** Lets go of everything; an answer not read to its end is discarded. */
  dispose(): void {
    this.#scope.dispose();
    this.#answer?.discard();
  }
}
