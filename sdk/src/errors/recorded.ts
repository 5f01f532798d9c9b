import { nameOf, stackOf, textOf } from './base.js';

// How errors are recorded, and made again from the record: as data, of which nothing is ever executed.

/** The error classes of the language: what was thrown as one is one again. */
const STANDARD = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError } as const;

/** What is recorded of an error. */
export interface RecordedError {
  readonly message: string;
  readonly name: string;
  readonly stack?: string | undefined;
  readonly retryable?: boolean | undefined;
}

/** An error with the name, message and stack of the one that was thrown. */
export function recordedError({ message, name, stack, retryable }: RecordedError): Error {
  const Class = Object.hasOwn(STANDARD, name) ? STANDARD[name as keyof typeof STANDARD] : Error;
  const error = new Class(message);
  if (error.name !== name) define(error, 'name', name);
  // Without the recorded one, the stack would show where it was read.
  define(error, 'stack', stack ?? `${name}: ${message}`);
  if (retryable !== undefined) define(error, 'retryable', retryable);
  return error;
}

/** What a workflow threw, where its stack was recorded. The record has no name but the one that begins the stack. */
export function errorOfStack(message: string, stack: string | undefined): Error | undefined {
  return stack ? recordedError({ message, name: nameIn(stack, message), stack }) : undefined;
}

/**
 * The stack of what was thrown, which begins with its name and text on every runtime, and also where the name was
 * changed after the error was made. Empty if it has none. Never throws.
 */
export function headedStack(thrown: unknown): string {
  const [stack, name, text] = [stackOf(thrown), nameOf(thrown), textOf(thrown)];
  // An error without a message has its name as text.
  const head = text === name ? name : `${name}: ${text}`;
  if (stack === '' || stack.startsWith(head)) return stack;
  const found = headOf(stack, text);
  return head + (found === undefined ? `\n${stack}` : stack.slice(found.length));
}

/**
 * How an execution is recorded to have failed by what its code threw. Clients read `BUSINESS_LOGIC` as an error that
 * trying again would not help against. Never throws.
 */
export function failureTypeOf(thrown: unknown): 'BUSINESS_LOGIC' | 'ERROR' {
  try {
    const isFinal = thrown instanceof Error && Reflect.get(thrown, 'retryable') === false;
    return isFinal ? 'BUSINESS_LOGIC' : 'ERROR';
  } catch {
    return 'ERROR';
  }
}

/** `TypeError`, `TypeError [ERR_CODE]` */
const NAME = /^([\p{ID_Start}$_][\p{ID_Continue}$.]*)(?: \[\w+\])?$/u;

function nameIn(stack: string, text: string): string {
  return headOf(stack, text)?.name ?? 'Error';
}

/** The name and text that a stack begins with, as far as they are there: the name, and how long both are. */
function headOf(stack: string, text: string): { name: string; length: number } | undefined {
  const [firstLine = ''] = stack.split('\n', 1);
  // An error without a message; some runtimes write the colon all the same.
  if (firstLine === text || firstLine === `${text}: `)
    return NAME.test(text) ? { name: text, length: firstLine.length } : undefined;
  const end = stack.indexOf(`: ${text}`);
  const name = NAME.exec(stack.slice(0, Math.max(0, end)))?.[1];
  return name === undefined ? undefined : { name, length: end + 2 + text.length };
}

function define(error: Error, name: string, value: unknown): void {
  Object.defineProperty(error, name, { value, configurable: true, writable: true });
}
