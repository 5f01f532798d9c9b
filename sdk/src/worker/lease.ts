import { FlovynError, TaskCancelled } from '../errors.js';
import { nameClass, textOf } from '../errors/base.js';
import type { Logger } from '../logger.js';
import { isClaimLost } from '../rpc/failures.js';
import type { Clock } from '../runtime/clock.js';
import { Stop } from '../runtime/stop.js';

/** Another worker may have the work now: whatever this one does with it counts no more. */
export class ClaimLost extends FlovynError {
  static {
    nameClass(this, 'ClaimLost');
  }

  override readonly code: string = 'CLAIM_LOST';
}

/** What a lease is made of. */
export interface LeaseParts {
  /** What the claim is of, for logs: `workflow order 0192..`. */
  readonly what: string;
  /** How long the claim lasts from now; 0 for a claim without a lease, which is never renewed. */
  readonly leaseMs: number;
  /** Renews the claim within this time; gives how long it lasts from then. Throws the reason if it is over. */
  readonly renew: (deadlineMs: number) => Promise<number>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A renewal begins when this part of the lease is over, and may take as long at first. */
const RENEWAL = 1 / 3;

/**
 * After a failure it may take the whole time: where the server takes longer than a third, it would never be heard that
 * the claim is lost, and what is done in vain would make everything slower still.
 */
const AFTER_FAILURE_LIMIT = 1;

/** The next one follows a failure after this part: another two fit in, even if the first was a call that hung. */
const AFTER_FAILURE = 1 / 12;

/**
 * Keeps a claim for as long as work on it goes on: renews it each third of its time, and sooner after a failure.
 *
 * ```text
 * held --renewed--> held
 * held --the server says that it is another's; the worker gives up--> lost (stop fires)
 * held, lost --end--> ended
 * ```
 */
export class Lease {
  readonly #parts: LeaseParts;
  /** Fires when the claim is lost or given up; its reason says why. */
  readonly stop: Stop = new Stop();
  #leaseMs: number;
  #stopTimer = (): void => {};
  /** How long the next renewal may take, as part of the lease. */
  #limit = RENEWAL;
  #ended = false;

  constructor(parts: LeaseParts) {
    this.#parts = parts;
    this.#leaseMs = parts.leaseMs;
    this.#arm(RENEWAL);
  }

  /** Ends the work that the claim is for. */
  lose(reason: Error): void {
    this.end();
    this.stop.fire(reason);
  }

  /** The claim was renewed and lasts so long from now; 0 for as long as before. */
  renewed(leaseMs: number): void {
    if (leaseMs > 0) this.#leaseMs = leaseMs;
    this.#limit = RENEWAL;
    this.#stopTimer();
    this.#arm(RENEWAL);
  }

  /** Stops renewing. */
  end(): void {
    this.#ended = true;
    this.#stopTimer();
  }

  #arm(part: number): void {
    if (this.#ended || this.#leaseMs <= 0) return;
    this.#stopTimer = this.#parts.clock.schedule(this.#leaseMs * part, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    const { what, renew, logger } = this.#parts;
    try {
      this.renewed(await renew(this.#leaseMs * this.#limit));
    } catch (error) {
      if (this.#ended) return;
      if (error instanceof ClaimLost || error instanceof TaskCancelled) return this.lose(error);
      if (isClaimLost(error))
        return this.lose(new ClaimLost(`The claim of ${what} is lost: ${textOf(error)}`, error));
      logger.debug(`the claim of ${what} could not be renewed yet: ${textOf(error)}`);
      this.#limit = AFTER_FAILURE_LIMIT;
      this.#arm(AFTER_FAILURE);
    }
  }
}
