/**
 * Changes payloads on their way to and from the server, such as by encryption. It runs outside workflow code
 * and may be asynchronous. Both sides are JSON text, as many as were given and in the same order. What
 * `encode` made of a payload is recognised by `decode`, which gets payloads that were never encoded too and
 * gives them back as they are.
 */
export interface PayloadCodec {
  encode(payloads: readonly string[]): Promise<string[]>;
  decode(payloads: readonly string[]): Promise<string[]>;
}

type MaybeCodec = PayloadCodec | undefined;

/**
 * One payload through a codec, or as it is without one.
 */
export async function encodeOne(codec: MaybeCodec, payload: string): Promise<string> {
  return codec === undefined ? payload : only(await codec.encode([payload]));
}

/**
 * The opposite of `encodeOne`.
 */
export async function decodeOne(codec: MaybeCodec, payload: string): Promise<string> {
  return codec === undefined ? payload : only(await codec.decode([payload]));
}

/**
 * A text that is no payload, such as that of an error, through a codec, to which it is shown as a JSON
 * string. What comes back stands in the place of the text as the JSON that it is, unless it is a JSON string
 * itself.
 */
export async function encodeText(codec: MaybeCodec, text: string): Promise<string> {
  return codec === undefined ? text : unquoted(only(await codec.encode([JSON.stringify(text)])));
}

/**
 * The opposite of `encodeText`.
 */
export async function decodeText(codec: MaybeCodec, text: string): Promise<string> {
  if (codec === undefined) return text;
  return unquoted(only(await codec.decode([isEnvelope(text) ? text : JSON.stringify(text)])));
}

function only(payloads: readonly string[]): string {
  const [payload] = payloads;
  if (payload === undefined || payloads.length !== 1) {
    throw new TypeError(`A codec must give as many payloads as it got: expected 1, got ${payloads.length}`);
  }
  return payload;
}

function unquoted(json: string): string {
  return json.startsWith('"') ? (JSON.parse(json) as string) : json;
}

function isEnvelope(text: string): boolean {
  if (!text.startsWith('{')) return false;
  try {
    return Object.hasOwn(JSON.parse(text) as object, '__codec');
  } catch {
    return false;
  }
}
