import { encodeOne, encodeText, type PayloadCodec } from '../codec.js';
import type { Serializer } from '../serde.js';
import type { StreamEvent, StreamEventType } from '../task/stream-events.js';

/** A stream event as it was when it was given: the program may change its data later. */
export interface WrittenEvent {
  readonly type: StreamEventType;
  /** The texts of the event by the names of their members. */
  readonly texts: readonly (readonly [name: string, text: string])[];
  readonly progress?: number | undefined;
  /** A payload. */
  readonly data?: string | undefined;
}

/** Throws `SerializationError` for data that cannot be sent. */
export function writtenEvent(event: StreamEvent, serializer: Serializer): WrittenEvent {
  const { type } = event;
  switch (type) {
    case 'token':
      return { type, texts: [['text', event.text]] };
    case 'progress':
      return { type, texts: given('details', event.details), progress: event.progress };
    case 'data':
      return { type, texts: [], data: serializer.serialize(event.data) };
    case 'error':
      return { type, texts: [['message', event.message], ...given('code', event.code)] };
  }
}

/** How large it is, in characters. */
export function sizeOfEvent({ texts, data = '' }: WrittenEvent): number {
  return texts.reduce((sum, [, text]) => sum + text.length, data.length);
}

/** The JSON of an event as the contract has it, its texts and data through the codec. */
export async function streamPayload(event: WrittenEvent, codec: PayloadCodec | undefined): Promise<string> {
  const members = [`"type":"${event.type}"`];
  if (event.progress !== undefined) members.push(`"progress":${event.progress}`);
  if (event.data !== undefined) members.push(`"data":${await encodeOne(codec, event.data)}`);
  for (const [name, text] of event.texts)
    members.push(`"${name}":${JSON.stringify(await encodeText(codec, text))}`);
  return `{${members.join(',')}}`;
}

function given(name: string, text: string | undefined): [string, string][] {
  return text === undefined ? [] : [[name, text]];
}
