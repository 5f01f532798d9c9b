import { decodeEvents } from '../../core.js';
import { ConfigurationError } from '../../errors.js';
import { textOf } from '../../errors/base.js';
import type { HistoryEvent, HistorySource } from '../history-types.js';

/** A history, read. */
export interface ReadHistory {
  readonly workflowExecutionId: string | undefined;
  /** The workflow that it is of, if it says so. */
  readonly kind: string | undefined;
  readonly events: readonly HistoryEvent[];
}

type Members = Readonly<Record<string, unknown>>;

/** Reads a history. Throws `ConfigurationError` that says what is wrong with it, and where. */
export function readHistory(source: HistorySource): ReadHistory {
  const value = parsed(source);
  const members = isMembers(value) ? value : {};
  const execution = isMembers(members['execution']) ? members['execution'] : members;
  const list = Array.isArray(value) ? (value as unknown[]) : members['events'];
  if (!Array.isArray(list))
    throw refused('expected an array of events, or an object with the member "events"', value);
  const events = list.map((event, index) => readEvent(event, index));
  events.sort((a, b) => a.sequence - b.sequence);
  checkComplete(events);
  return { workflowExecutionId: idOf(execution), kind: kindOf(events), events };
}

function parsed(source: HistorySource): unknown {
  if (source instanceof Uint8Array) return decoded(source);
  if (typeof source !== 'string') return source;
  try {
    return JSON.parse(source);
  } catch (error) {
    throw refused(`a text must be JSON (${textOf(error)})`, source);
  }
}

function decoded(bytes: Uint8Array): unknown {
  try {
    return decodeEvents(bytes);
  } catch (error) {
    throw refused(`bytes must be an answer of GetEvents (${textOf(error)})`, `${bytes.length} bytes`);
  }
}

function readEvent(event: unknown, index: number): HistoryEvent {
  if (!isMembers(event)) throw refused(`events[${index}]: expected an object`, event);
  const sequence = Number(member(event, 'sequence', 'sequenceNumber', 'sequence_number', 'eventId'));
  if (!Number.isInteger(sequence) || sequence < 1)
    throw refused(`events[${index}]: "sequence" must be a whole number from 1 up`, event);
  const eventType = member(event, 'eventType', 'event_type', 'type');
  if (typeof eventType !== 'string')
    throw refused(`event ${sequence}: "eventType" must be a text`, eventType);
  return { sequence, eventType, data: readData(sequence, member(event, 'data', 'eventData', 'event_data')) };
}

/** The data of an event as JSON text. */
function readData(sequence: number, data: unknown): string {
  if (data === undefined || data === null) return '{}';
  if (data instanceof Uint8Array) return readText(sequence, new TextDecoder().decode(data));
  if (typeof data === 'string') return readText(sequence, data);
  if (isMembers(data)) return JSON.stringify(data);
  throw refused(`event ${sequence}: "data" must be an object, or one as JSON text or bytes`, data);
}

function readText(sequence: number, text: string): string {
  // Bytes are base64 in the JSON form of protobuf messages.
  for (const candidate of [text, fromBase64(text)])
    if (candidate !== undefined && isObjectJson(candidate)) return candidate;
  throw refused(`event ${sequence}: "data" must be a JSON object`, text);
}

function isObjectJson(text: string): boolean {
  try {
    return isMembers(JSON.parse(text));
  } catch {
    return false;
  }
}

function fromBase64(text: string): string | undefined {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(text), (char) => char.charCodeAt(0)));
  } catch {
    return undefined;
  }
}

function checkComplete(events: readonly HistoryEvent[]): void {
  if (events.length === 0) throw refused('expected at least one event', []);
  const missing = events.findIndex(({ sequence }, index) => sequence !== index + 1);
  if (missing < 0) return;
  const { sequence, eventType } = events[missing] ?? { sequence: 0, eventType: '' };
  throw new ConfigurationError(
    `history: expected event ${missing + 1}, got event ${sequence} ${eventType}: it must have all events from the first on`,
  );
}

function idOf(members: Members): string | undefined {
  const id = member(members, 'workflowExecutionId', 'workflow_execution_id', 'executionId');
  return typeof id === 'string' && id !== '' ? id : undefined;
}

/** The workflow that a history is of, if its first event says so. */
export function kindOf([first]: readonly HistoryEvent[]): string | undefined {
  if (first?.eventType !== 'WORKFLOW_STARTED') return undefined;
  const { kind } = JSON.parse(first.data) as Members;
  return typeof kind === 'string' ? kind : undefined;
}

function member(members: Members, ...names: string[]): unknown {
  return members[names.find((name) => members[name] !== undefined) ?? ''];
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const SHOWN_MAX = 120;

function refused(rule: string, got: unknown): ConfigurationError {
  const text = (typeof got === 'string' ? got : JSON.stringify(got)) ?? String(got);
  const shown = text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}...` : text;
  return new ConfigurationError(`history: ${rule}, got ${shown}`);
}
