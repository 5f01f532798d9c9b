/** The message without the n-th occurrence of a length-delimited field. */
export function dropField(message, field, occurrence) {
  const bytes = Buffer.from(message);
  let at = 0;
  let seen = 0;
  while (at < bytes.length) {
    const start = at;
    const tag = varint(bytes, at);
    at = skip(bytes, tag.end, tag.value & 7);
    if (tag.value >>> 3 === field) seen += 1;
    if (seen === occurrence)
      return new Uint8Array(Buffer.concat([bytes.subarray(0, start), bytes.subarray(at)]));
  }
  throw new Error(`field ${field} occurs ${seen} times, expected at least ${occurrence}`);
}

function varint(bytes, start) {
  let value = 0;
  let end = start;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[end];
    end += 1;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return { value, end };
  }
}

function skip(bytes, at, wireType) {
  if (wireType === 0) return varint(bytes, at).end;
  if (wireType === 1) return at + 8;
  if (wireType === 5) return at + 4;
  const length = varint(bytes, at);
  return length.end + length.value;
}
