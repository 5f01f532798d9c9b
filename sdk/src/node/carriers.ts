import type { CarriedAnswer, Carrier, CarrierRequest, Protocol } from '../transport/carrier.js';
import type { NodeCarriers } from '../transport/create.js';
import { openHttp } from './http-carrier.js';
import { openHttp2 } from './http2-carrier.js';

/** The carriers over Node's own modules. */
export const nodeCarriers: NodeCarriers = {
  http: (destination) => new LateCarrier('gRPC-Web', () => openHttp(destination)),
  http2: (destination) => new LateCarrier('gRPC', () => openHttp2(destination)),
};

/** A carrier that is made at its first request: what it imports costs a program several milliseconds at its start. */
class LateCarrier implements Carrier {
  readonly protocol: Protocol;
  readonly #open: () => Promise<Carrier>;
  #opening: Promise<Carrier> | undefined;
  #carrier: Carrier | undefined;

  constructor(protocol: Protocol, open: () => Promise<Carrier>) {
    this.protocol = protocol;
    this.#open = open;
  }

  async send(request: CarrierRequest): Promise<CarriedAnswer> {
    if (this.#carrier === undefined) {
      this.#opening ??= this.#open();
      this.#carrier = await this.#opening;
      if (request.scope.failure !== undefined) throw request.scope.failure;
    }
    return this.#carrier.send(request);
  }

  // While it opens no request is under way, and those that wait for it are not sent after their calls have ended.
  close(): void {
    this.#carrier?.close();
  }
}
