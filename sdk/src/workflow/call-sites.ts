import { DeterminismViolation } from '../errors.js';

/** A line of workflow code that called the context. */
export interface CallSite {
  /** The file as the runtime names it, without `file://`. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** What was called, such as `ctx.schedule`. */
  readonly verb: string;
}

/**
 * Finds out where workflow code calls its context. Taking a stack at each call is dear: this is used only in
 * the replay that explains a violation, and costs nothing in others.
 */
export class CallSites {
  readonly #byHandle = new Map<number, CallSite>();
  #current: CallSite | undefined;
  #violation: CallSite | undefined;

  /** Is told of each call once it is done. */
  protected onCalled?: (site: CallSite | undefined) => void;

  /** Where the call was made that the history disagrees with, if it was a call. */
  get ofViolation(): CallSite | undefined {
    return this.#violation;
  }

  /** A context in front of `ctx` that remembers where each call of it comes from. */
  watch<C extends object>(ctx: C): C {
    return new Proxy(ctx, {
      get: (target, name) => {
        // The target as the receiver, since a proxy has no private fields.
        const member: unknown = Reflect.get(target, name, target);
        return typeof member === 'function' && typeof name === 'string'
          ? this.#watched(`ctx.${name}`, target, member as (...args: unknown[]) => unknown)
          : member;
      },
    });
  }

  /** A handle was made by the call that is under way. */
  made(handle: number): void {
    if (this.#current !== undefined) this.#byHandle.set(handle, this.#current);
  }

  /** Where the handle was made. */
  of(handle: number): CallSite | undefined {
    return this.#byHandle.get(handle);
  }

  #watched(
    verb: string,
    target: object,
    method: (...args: unknown[]) => unknown,
  ): (...args: unknown[]) => unknown {
    const called = (...args: unknown[]): unknown => {
      const outer = this.#current;
      this.#current = callSite(verb, called);
      try {
        return method.apply(target, args);
      } catch (error) {
        if (error instanceof DeterminismViolation) this.#violation ??= this.#current;
        throw error;
      } finally {
        this.onCalled?.(this.#current);
        this.#current = outer;
      }
    };
    return called;
  }
}

/** The line that called `called`. */
function callSite(verb: string, called: (...args: never[]) => unknown): CallSite | undefined {
  const holder = new Error();
  const capture: unknown = Reflect.get(Error, 'captureStackTrace');
  // Where stacks cannot be cut, ours begin with this function and the one that was called.
  const ours = typeof capture === 'function' ? 0 : 2;
  if (typeof capture === 'function') Reflect.apply(capture, Error, [holder, called]);
  const frames = (holder.stack ?? '').split('\n').flatMap((frame) => placeOf(frame) ?? []);
  const place = frames[ours];
  return place && { ...place, verb };
}

/** `at name (file:1:2)`, `at file:1:2`, and `name@file:1:2` of other engines. */
const FRAME = /^(?:\s*at (?:.*?\()?|[^@\n]*@)(?<file>.+?):(?<line>\d+):(?<column>\d+)\)?$/;

function placeOf(frame: string): Omit<CallSite, 'verb'> | undefined {
  const { file = '', line, column } = FRAME.exec(frame)?.groups ?? {};
  if (file === '') return undefined;
  return { file: file.replace(/^file:\/\//, ''), line: Number(line), column: Number(column) };
}
