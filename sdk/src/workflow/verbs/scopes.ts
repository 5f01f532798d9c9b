import { cancelScope, openScope } from '../../core.js';
import type { Duration } from '../../duration.js';
import {
  ConfigurationError,
  type FlovynError,
  HandleCancelled,
  TimeoutError,
  Unsupported,
  WorkflowCancelled,
} from '../../errors.js';
import { checkOptions, checkText, optionalMs, wholeMs } from '../../options.js';
import type { CancelScope } from '../cancel-scope.js';
import type { ContextParts } from '../context-parts.js';
import type { WorkflowContext } from '../context-types.js';
import type { CancellablePromise, ScopeHandle, ScopeOptions } from '../handle-types.js';
import { markOwn } from '../own-errors.js';
import { openTimer } from './timers.js';

/** What runs in a scope. */
type Body<T> = (ctx: WorkflowContext) => T | PromiseLike<T>;

export function runInScope<T>(parts: ContextParts, fn: Body<T>, options: ScopeOptions): ScopeHandle<T> {
  return parts.turn.do('ctx.scope', (id) => {
    checkBody('ctx.scope', fn);
    const timeoutMs = scopeTimeoutMs(options);
    const scope = parts.scope.open(openScope(id, parts.scope.id, true), true);
    const work = new ScopedWork(parts, scope);
    const promise = work.run(fn, timeoutMs);
    return Object.assign(promise, { cancel: (reason?: string) => work.cancelByHand(reason) });
  });
}

export async function runUncancelled<T>(parts: ContextParts, fn: Body<T>): Promise<T> {
  const scope = parts.turn.do('ctx.nonCancellable', (id) => {
    checkBody('ctx.nonCancellable', fn);
    return parts.scope.open(openScope(id, parts.scope.id, false), false);
  });
  try {
    return await fn(parts.contextOf(scope));
  } finally {
    scope.close();
  }
}

export async function raceTimeout<T>(
  parts: ContextParts,
  promise: PromiseLike<T>,
  duration: Duration,
): Promise<T> {
  const [timer, timeoutMs] = parts.turn.do('ctx.withTimeout', () => {
    const ms = wholeMs('ctx.withTimeout', duration);
    return [openTimer(parts, ms), ms];
  });
  const tooLate = timer.then(() => TOO_LATE);
  try {
    const first = await Promise.race([promise, tooLate]);
    if (first !== TOO_LATE) return first as T;
    // Only now: the rejection of what is cancelled would win the race.
    cancelIfPossible(promise);
    throw markOwn(new TimeoutError('ctx.withTimeout', timeoutMs), 'ctx.withTimeout');
  } finally {
    // A timer that has fired, or was cancelled with its scope, is left alone by this.
    timer.cancel();
  }
}

const TOO_LATE = Symbol('too late');

/** The function of one scope, and what ends it early. */
class ScopedWork {
  readonly #parts: ContextParts;
  readonly #scope: CancelScope;
  /** Settles the promise although the function is not done, since nothing could tell it. */
  #interrupt: (error: FlovynError) => void = () => {};
  /** Whether the scope around this one had been cancelled before: this one makes good then. */
  readonly #cancelledBefore: WorkflowCancelled | undefined;
  #cause: FlovynError | undefined;
  #isDone = false;

  constructor(parts: ContextParts, scope: CancelScope) {
    this.#parts = parts;
    this.#scope = scope;
    this.#cancelledBefore = parts.scope.cancelled;
  }

  async run<T>(fn: Body<T>, timeoutMs: number | undefined): Promise<T> {
    const timer = timeoutMs === undefined ? undefined : this.#startTimer(timeoutMs);
    const interrupted = new Promise<never>((_, reject) => {
      this.#interrupt = reject;
    });
    try {
      return await Promise.race([this.#call(fn), interrupted]);
    } catch (error) {
      throw this.#outcome(error);
    } finally {
      this.#isDone = true;
      timer?.cancel();
      this.#scope.close();
    }
  }

  cancelByHand(reason: string | undefined): void {
    this.#parts.turn.do('cancel of ctx.scope', () => {
      if (reason !== undefined) checkText('cancel of ctx.scope, reason', reason);
      this.#cancel(new HandleCancelled('scope', reason), reason);
    });
  }

  async #call<T>(fn: Body<T>): Promise<T> {
    return fn(this.#parts.contextOf(this.#scope));
  }

  /** In the scope around this one: it is no work of this one. */
  #startTimer(timeoutMs: number): CancellablePromise<void> {
    const timer = openTimer(this.#parts, timeoutMs);
    timer.then(
      () => this.#cancel(new TimeoutError('ctx.scope', timeoutMs), `it timed out after ${timeoutMs} ms`),
      () => {},
    );
    return timer;
  }

  #cancel(cause: FlovynError, reason: string | undefined): void {
    const { turn, pending, operations } = this.#parts;
    if (this.#isDone || this.#cause !== undefined) return;
    this.#cause = cause;
    turn.do('ctx.scope', (id) => {
      const handles = cancelScope(id, this.#scope.id);
      this.#scope.cancel(scopeCancelled(reason));
      for (const handle of handles) {
        const error = scopeCancelled(reason);
        operations.cancel(handle, error);
        pending.rejectWith(handle, error);
      }
      if (handles.length === 0) this.#interrupt(cause);
    });
  }

  /** The function let the cancellation of its scope pass: outside it is told by what led to it. */
  #outcome(error: unknown): unknown {
    const cause = this.#cause;
    if (cause === undefined || this.#parts.scope.cancelled !== this.#cancelledBefore) return error;
    return error === cause || error instanceof WorkflowCancelled ? markOwn(cause, 'ctx.scope') : error;
  }
}

function scopeCancelled(reason: string | undefined): WorkflowCancelled {
  return new WorkflowCancelled(`The scope was cancelled${reason === undefined ? '' : `: ${reason}`}`, reason);
}

function checkBody(verb: string, fn: unknown): void {
  if (typeof fn !== 'function') throw new ConfigurationError(`${verb} takes a function, got ${typeof fn}`);
}

function scopeTimeoutMs(options: ScopeOptions): number | undefined {
  checkOptions('ctx.scope', options, ['timeout']);
  return optionalMs('ctx.scope, timeout', options.timeout);
}

/** Handles of the context and of scopes can be cancelled, other promises cannot, nor tasks on some servers. */
function cancelIfPossible(promise: PromiseLike<unknown>): void {
  const { cancel } = Object(promise) as { cancel?: unknown };
  if (typeof cancel !== 'function') return;
  try {
    Reflect.apply(cancel, promise, []);
  } catch (error) {
    if (!(error instanceof Unsupported)) throw error;
  }
}
