/** Reads server-sent events until `isEnough` of all of them, or the end. */
export async function readServerSentEvents(url, options, isEnough) {
  const controller = new AbortController();
  const response = await fetch(url, { ...options, signal: controller.signal });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  const events = [];
  let text = '';
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const blocks = text.split('\n\n');
    text = blocks.pop();
    events.push(...blocks.map(parse).filter((event) => event !== undefined));
    if (isEnough(events)) break;
  }
  controller.abort();
  return events;
}

/** One event; undefined for a comment that only keeps the connection alive. */
function parse(block) {
  const fields = {};
  for (const line of block.split('\n')) {
    const [, name, value] = /^([a-z]+): ?(.*)$/.exec(line) ?? [];
    if (name) fields[name] = name in fields ? `${fields[name]}\n${value}` : value;
  }
  return Object.keys(fields).length === 0 ? undefined : fields;
}
