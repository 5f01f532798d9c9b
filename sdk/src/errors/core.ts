import { FlovynError, nameClass } from './base.js';

/**
 * The core refused what it was given. `code` is its own: `HISTORY_GAP` and `INVALID_HISTORY` for a history that cannot
 * be replayed, `NOT_IN_TURN` for a call at a time when workflow code may not act, `INVALID_ARGUMENT` and others.
 */
export class CoreError extends FlovynError {
  static {
    nameClass(this, 'CoreError');
  }

  override readonly code: string;

  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause);
    this.code = code;
  }
}

/** The wasm core hit a bug of its own and was loaded anew. Every execution that it held is replayed. */
export class CoreTrapped extends FlovynError {
  static {
    nameClass(this, 'CoreTrapped');
  }

  override readonly code: string = 'CORE_TRAPPED';
}

/** The embedded engine ended because of a bug of its own; what it held in memory is gone. */
export class EngineFailed extends FlovynError {
  static {
    nameClass(this, 'EngineFailed');
  }

  override readonly code: string = 'ENGINE_FAILED';
}
