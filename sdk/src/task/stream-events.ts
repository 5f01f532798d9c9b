import { ConfigurationError } from '../errors.js';
import { checkText } from '../options.js';

/** What a stream event is of. */
export type StreamEventType = StreamEvent['type'];

/** What a task tells those who watch it while it runs. */
export type StreamEvent =
  | {
      /** A piece of a text that comes bit by bit. */
      readonly type: 'token';
      readonly text: string;
    }
  | {
      /** How far it is. */
      readonly type: 'progress';
      /** From 0 to 1. */
      readonly progress: number;
      readonly details?: string | undefined;
    }
  | {
      /** Anything else. */
      readonly type: 'data';
      readonly data: unknown;
    }
  | {
      /** Something went wrong that does not end the task. */
      readonly type: 'error';
      readonly message: string;
      readonly code?: string | undefined;
    };

/** A stream event as it goes to the server. */
export interface InternalStreamEvent {
  /** From 1, in the order of the calls, within one attempt. */
  readonly sequence: number;
  /** What it is of. */
  readonly type: StreamEventType;
  /** JSON: the event itself. */
  readonly payload: string;
  /** When it was given, in milliseconds since 1970. */
  readonly timestampMs: number;
}

/** Throws `ConfigurationError` for an event that is none. */
export function checkStreamEvent(event: StreamEvent): void {
  switch (event?.type) {
    case 'token':
      return checkText('A token event, text', event.text);
    case 'progress':
      checkProgress(event.progress);
      return optionalText('A progress event, details', event.details);
    case 'data':
      return;
    case 'error':
      checkText('An error event, message', event.message);
      return optionalText('An error event, code', event.code);
    default: {
      const got = JSON.stringify((event as { type?: unknown } | undefined)?.type);
      throw new ConfigurationError(
        `A stream event's type must be "token", "progress", "data" or "error", got ${got}`,
      );
    }
  }
}

/** Throws `ConfigurationError` for what is no number from 0 to 1. */
export function checkProgress(progress: number): void {
  if (!(typeof progress === 'number' && progress >= 0 && progress <= 1))
    throw new ConfigurationError('Progress must be between 0 and 1');
}

/** Throws `ConfigurationError` for what is neither a text nor left out. */
export function optionalText(what: string, text: string | undefined): void {
  if (text !== undefined) checkText(what, text);
}
