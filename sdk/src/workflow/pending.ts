import { SerializationError } from '../errors.js';
import { textOf } from '../errors/base.js';
import type { Serializer } from '../serde.js';
import type { CallSite, CallSites } from './call-sites.js';
import { markOwn } from './own-errors.js';
import { rejectionError } from './rejection.js';

/** What a handle stands for, in two words, such as `task` and `charge`. */
export interface HandleName {
  readonly type: 'task' | 'timer' | 'promise' | 'operation' | 'signal' | 'child workflow';
  readonly name: string;
}

/**
 * The promises that workflow code waits for, by the handle that the core settles them by.
 *
 * A handle of an activation that has ended stays pending for ever: that is what suspension is.
 */
export class PendingHandles {
  readonly #waiting = new Map<number, Waiting>();
  readonly #serializer: Serializer;
  readonly #sites: CallSites | undefined;

  /** With `sites` it remembers where each handle was made. */
  constructor(serializer: Serializer, sites?: CallSites) {
    this.#serializer = serializer;
    this.#sites = sites;
  }

  /** How many handles wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** The handles that wait and what they stand for, the oldest first. */
  get waiting(): [handle: number, name: HandleName][] {
    return [...this.#waiting].map(([handle, { name }]) => [handle, name]);
  }

  /** The promise of a new handle. Its value is read by `serializer`, if one is given. */
  open<T>(handle: number, name: HandleName, serializer: Serializer = this.#serializer): Promise<T> {
    this.#sites?.made(handle);
    const promise = new Promise<T>((resolve, reject) => {
      this.#waiting.set(handle, { name, serializer, resolve, reject });
    });
    // A workflow may leave a handle alone; its rejection is no crash then.
    promise.then(undefined, ignore);
    return promise;
  }

  /** Resolves a handle with a payload. */
  resolve(handle: number, payload: string): void {
    const waiting = this.#take(handle);
    try {
      // A timer has no value.
      waiting.resolve(waiting.name.type === 'timer' ? undefined : waiting.serializer.deserialize(payload));
    } catch (error) {
      waiting.reject(markOwn(unreadable(waiting.name, error), waiting.name));
    }
  }

  /** Rejects a handle with what the core says of it. */
  reject(handle: number, rejection: string): void {
    this.rejectWith(handle, rejectionError(rejection));
  }

  /** Rejects a handle with an error of ours. */
  rejectWith(handle: number, error: Error): void {
    const waiting = this.#take(handle);
    waiting.reject(markOwn(error, waiting.name));
  }

  /** Where the handles were made that still wait, as far as it was remembered. */
  sites(): CallSite[] {
    return [...this.#waiting.keys()].flatMap((handle) => this.#sites?.of(handle) ?? []);
  }

  #take(handle: number): Waiting {
    const waiting = this.#waiting.get(handle);
    if (waiting === undefined) throw new Error(`the core settled handle ${handle}, which nobody waits for`);
    this.#waiting.delete(handle);
    return waiting;
  }
}

interface Waiting {
  readonly name: HandleName;
  readonly serializer: Serializer;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** The error for a payload that cannot be read. */
function unreadable({ type, name }: HandleName, cause: unknown): SerializationError {
  const path = cause instanceof SerializationError ? cause.path : '$';
  const why = textOf(cause).replace(` (at ${path})`, '');
  return new SerializationError(`the result of the ${type} "${name}" cannot be read: ${why}`, path, cause);
}

function ignore(): void {}
