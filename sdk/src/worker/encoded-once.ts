/** A message that is sent again and again and seldom changes: it is encoded when it does. */
export class EncodedOnce<Message extends object> {
  readonly #encode: (message: Message) => Uint8Array;
  #last: { readonly message: Message; readonly bytes: Uint8Array } | undefined;

  constructor(encode: (message: Message) => Uint8Array) {
    this.#encode = encode;
  }

  /** The bytes of a message. Its fields are compared one by one, lists by identity. */
  bytes(message: Message): Uint8Array {
    if (this.#last === undefined || !isSame(this.#last.message, message))
      this.#last = { message, bytes: this.#encode(message) };
    return this.#last.bytes;
  }
}

function isSame(a: object, b: object): boolean {
  const entries = Object.entries(b);
  return entries.every(([name, value]) => Object.is(Reflect.get(a, name), value));
}
