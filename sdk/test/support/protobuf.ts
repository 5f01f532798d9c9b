// Just enough of protobuf to play the server's part in tests, independent of the core.

/** An event as JSON has it. */
export interface EventJson {
  readonly sequence: number;
  readonly eventType: string;
  readonly data: unknown;
}

/** The answer to a partial submission with these events. */
export function submitAnswer(events: readonly EventJson[], hasMoreEvents = false): Uint8Array {
  const fields = events.map((event) => bytesField(1000, eventMessage(event)));
  return Buffer.concat([...fields, ...(hasMoreEvents ? [numberField(1001, 1)] : [])]);
}

/** The answer of PollWorkflow that brings these events of an execution. */
export function pollAnswer(answer: {
  readonly executionId: string;
  readonly taskTimeMs: number;
  readonly events: readonly EventJson[];
}): Uint8Array {
  const execution = [bytesField(1, Buffer.from(answer.executionId)), numberField(14, answer.taskTimeMs)];
  const events = answer.events.map((event) => bytesField(1002, eventMessage(event)));
  return Buffer.concat([bytesField(1, Buffer.concat(execution)), ...events]);
}

/** The answer of GetEvents with these events. */
export function eventsAnswer(events: readonly EventJson[], hasMore = false): Uint8Array {
  const fields = events.map((event) => bytesField(1, eventMessage(event)));
  return Buffer.concat([...fields, ...(hasMore ? [numberField(1000, 1)] : [])]);
}

/** An answer of PollWorkflow that brings a query. */
export function queryAnswer(query: {
  readonly id: string;
  readonly executionId: string;
  readonly kind: string;
  readonly name: string;
  readonly params: string;
  readonly state: Readonly<Record<string, string>>;
}): Uint8Array {
  const { id, executionId, kind, name, params, state } = query;
  const texts = [id, executionId, kind, name, params].map((text, index) => textField(index + 1, text));
  const entries = Object.entries(state).map(([key, value]) =>
    bytesField(6, Buffer.concat([textField(1, key), textField(2, value)])),
  );
  return bytesField(1005, Buffer.concat([...texts, ...entries, numberField(8, 7)]));
}

/** The answer of Heartbeat. */
export function heartbeatAnswer(cancelled: boolean, leaseMs: number): Uint8Array {
  return Buffer.concat([numberField(1000, cancelled ? 1 : 0), numberField(1001, leaseMs)]);
}

/** The fields of a message by number: numbers, and texts of what has a length. The last of each counts. */
export function fieldsOf(message: Uint8Array): Record<number, number | string> {
  const fields: Record<number, number | string> = {};
  for (const [field, value] of read(message))
    fields[field] = typeof value === 'number' ? value : value.toString('utf8');
  return fields;
}

/** The stream events that one request carries. */
export function streamedEvents(
  request: Uint8Array,
): { sequence: number; type: number; payload: string; timestampMs: number }[] {
  const event = (message: Uint8Array, first: number) => {
    const {
      [first]: sequence,
      [first + 1]: type,
      [first + 2]: payload,
      [first + 3]: timestampMs,
    } = fieldsOf(message);
    return { sequence, type, payload, timestampMs } as ReturnType<typeof streamedEvents>[number];
  };
  const more = read(request).filter(([field]) => field === 1000);
  return [event(request, 3), ...more.map(([, message]) => event(message as Buffer, 1))];
}

/** The lines of a log that one request carries, as `LEVEL text`. */
export function loggedLines(request: Uint8Array): string[] {
  const { 2: level, 3: message } = fieldsOf(request);
  const more = read(request).filter(([field]) => field === 1000);
  const lines = more.map(([, line]) => fieldsOf(line as Buffer));
  return [`${level} ${message}`, ...lines.map((line) => `${line[1]} ${line[2]}`)];
}

/** The fields of the first message within messages that this path of field numbers leads to. */
export function nestedFields(message: Uint8Array, path: readonly number[]): Record<number, number | string> {
  const [first, ...rest] = path;
  if (first === undefined) return fieldsOf(message);
  const found = read(message).find(([field]) => field === first)?.[1];
  if (!(found instanceof Uint8Array)) throw new Error(`no message in field ${first}`);
  return nestedFields(found, rest);
}

function read(message: Uint8Array): [field: number, value: number | Buffer][] {
  const fields: [number, number | Buffer][] = [];
  const bytes = Buffer.from(message);
  let at = 0;
  const number = (): number => {
    let [value, scale] = [0, 1];
    for (; bytes.readUInt8(at) >= 128; at += 1, scale *= 128) value += (bytes.readUInt8(at) - 128) * scale;
    value += bytes.readUInt8(at) * scale;
    at += 1;
    return value;
  };
  while (at < bytes.length) {
    const [key, value] = [number(), number()];
    if (key % 8 === 2) at += value;
    fields.push([Math.floor(key / 8), key % 8 === 2 ? bytes.subarray(at - value, at) : value]);
  }
  return fields;
}

function eventMessage({ sequence, eventType, data }: EventJson): Buffer {
  return Buffer.concat([
    numberField(1, sequence),
    bytesField(2, Buffer.from(eventType)),
    bytesField(3, Buffer.from(JSON.stringify(data))),
  ]);
}

function numberField(field: number, value: number): Buffer {
  return Buffer.concat([varint(field * 8), varint(value)]);
}

function textField(field: number, text: string): Buffer {
  return bytesField(field, Buffer.from(text));
}

function bytesField(field: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([varint(field * 8 + 2), varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...bytes, rest]);
}
