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

/** One thing that is wrong with a value that was checked against a schema. */
export interface ValidationIssue {
  /** What is wrong, for people. */
  readonly message: string;
  /** Where in the value, such as `$.order.items[3]`; `$` is the value itself. */
  readonly path: string;
}

/**
 * The input or output of a workflow or task does not fit its schema. Trying again would not help: a task that throws it,
 * or is given such input, fails for good.
 */
export class ValidationError extends FlovynError {
  static {
    nameClass(this, 'ValidationError');
  }

  override readonly code: string = 'VALIDATION';
  /** Whose value it is, such as `task "charge"`. */
  readonly subject: string;
  readonly side: 'input' | 'output';
  /** What is wrong, at least one thing. `message` names the first ten. */
  readonly issues: readonly ValidationIssue[];
  readonly retryable: boolean = false;

  constructor(subject: string, side: 'input' | 'output', issues: readonly ValidationIssue[]) {
    super(`The ${side} of the ${subject} does not fit its schema: ${listed(issues)}`);
    this.subject = subject;
    this.side = side;
    this.issues = issues;
  }
}

const MOST_LISTED = 10;

function listed(issues: readonly ValidationIssue[]): string {
  const texts = issues.slice(0, MOST_LISTED).map(({ message, path }) => `${message} (at ${path})`);
  const more = issues.length - texts.length;
  return [...texts, ...(more > 0 ? [`${more} more`] : [])].join('; ');
}
