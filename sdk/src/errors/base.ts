/** What every error of this package is: an `Error` with a string `code` to switch on. */
export class FlovynError extends Error {
  static {
    nameClass(this, 'FlovynError');
  }

  /** Says what went wrong, for programs. Texts may be improved between versions, codes stay. */
  readonly code: string = 'FLOVYN';

  /** `cause` is what led to this error, if something did; its text is not part of `message`. */
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
  }

  /** `thrown` itself if it is a FlovynError, else one with its text and `thrown` as the cause. Never throws. */
  static from(thrown: unknown): FlovynError {
    return thrown instanceof FlovynError ? thrown : new FlovynError(textOf(thrown), thrown);
  }
}

/**
 * Gives a class's errors their `name`. On the prototype, so that stack traces begin with it, and as a literal, since
 * minifiers rename classes.
 * @internal
 */
export function nameClass(constructor: { readonly prototype: Error }, name: string): void {
  Object.defineProperty(constructor.prototype, 'name', { value: name, configurable: true, writable: true });
}

/**
 * The name of what was thrown; `Error` if it has none. Never throws itself.
 * @internal
 */
export function nameOf(thrown: unknown): string {
  try {
    const name: unknown = thrown instanceof Error ? thrown.name : undefined;
    return typeof name === 'string' ? name : 'Error';
  } catch {
    return 'Error';
  }
}

/**
 * The stack of what was thrown; empty if it has none. Never throws itself.
 * @internal
 */
export function stackOf(thrown: unknown): string {
  try {
    const stack: unknown = thrown instanceof Error ? thrown.stack : undefined;
    return typeof stack === 'string' ? stack : '';
  } catch {
    return '';
  }
}

/**
 * A text for anything that was thrown. Never throws itself.
 * @internal
 */
export function textOf(thrown: unknown): string {
  try {
    if (typeof thrown === 'object' && thrown !== null) {
      const message: unknown = Reflect.get(thrown, 'message');
      if (typeof message === 'string' && (message !== '' || !(thrown instanceof Error))) return message;
      // Some libraries put an object where the text of an error should be.
      if (thrown instanceof Error) return message ? textOf(message) : nameOf(thrown);
      return JSON.stringify(thrown) ?? Object.prototype.toString.call(thrown);
    }
    return String(thrown);
  } catch {
    return `${typeof thrown === 'object' ? 'an' : 'a'} ${typeof thrown} that cannot be shown`;
  }
}
