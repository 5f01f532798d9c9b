import { FlovynError } from '../errors.js';
import { nameClass } from '../errors/base.js';

/** The worker shuts down and its grace period is over. */
export class WorkerStopped extends FlovynError {
  static {
    nameClass(this, 'WorkerStopped');
  }

  override readonly code: string = 'WORKER_STOPPED';

  constructor() {
    super('The worker was stopped');
  }
}
