import { FlovynError, nameClass } from './base.js';

/** An option or argument is missing, malformed or contradicts another one. */
export class ConfigurationError extends FlovynError {
  static {
    nameClass(this, 'ConfigurationError');
  }

  override readonly code: string = 'CONFIGURATION';
}

/** This part of the API does not work here; the message says why and what to use instead. */
export class Unsupported extends FlovynError {
  static {
    nameClass(this, 'Unsupported');
  }

  override readonly code: string = 'UNSUPPORTED';
}

/** A value cannot be written as a payload, or a payload cannot be read. Nothing was sent. */
export class SerializationError extends FlovynError {
  static {
    nameClass(this, 'SerializationError');
  }

  override readonly code: string = 'SERIALIZATION';
  /** Where in the value, such as `$.order.items[3]`; `$` is the value itself. */
  readonly path: string;

  /** `problem` is a sentence without the path, such as `a function cannot be sent`. */
  constructor(problem: string, path: string = '$', cause?: unknown) {
    super(`${problem} (at ${path})`, cause);
    this.path = path;
  }
}
