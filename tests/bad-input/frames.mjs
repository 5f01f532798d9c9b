/** One gRPC message in its frame. */
export function frame(message) {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}

/** Posts bytes as a gRPC-Web call, whatever they are, and gives the gRPC status of the answer. */
export async function postFrames(server, method, body) {
  const answer = await fetch(server.url + method, {
    method: 'POST',
    headers: {
      'content-type': 'application/grpc-web+proto',
      'x-grpc-web': '1',
      authorization: `Bearer ${server.apiKey}`,
    },
    body,
  });
  const trailers = Buffer.from(await answer.arrayBuffer()).toString('latin1');
  const find = (name) => answer.headers.get(name) ?? new RegExp(`${name}: ?([^\r\n]*)`).exec(trailers)?.[1];
  return { status: Number(find('grpc-status')), message: decodeURIComponent(find('grpc-message') ?? '') };
}
