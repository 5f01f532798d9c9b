import http from 'node:http';

/**
 * A proxy between worker and server that stops one call at one moment.
 *
 * `onHit(call)` runs while the call is held: it kills a process; afterwards the call's connection is cut, as the kernel
 * would cut it. All other calls pass through unchanged.
 */
export async function startProxy({ upstreamPort, point, onHit }) {
  const calls = [];
  const seen = new Map();
  let hit = false;

  const server = http.createServer(async (request, response) => {
    const method = request.url.split('/').pop();
    const occurrence = (seen.get(method) ?? 0) + 1;
    seen.set(method, occurrence);
    calls.push(method);
    const call = { method, occurrence, number: calls.length };
    const chosen = !hit && point?.method === method && point.occurrence === occurrence;
    if (chosen) hit = true;
    try {
      const body = await readAll(request);
      if (chosen && point.moment === 'before send') return await cut(call);
      const answer = await forward(upstreamPort, request, body);
      if (chosen) return await cut(call);
      response.writeHead(answer.statusCode, answer.headers);
      response.end(answer.body);
    } catch {
      response.destroy();
    }

    async function cut(call) {
      await onHit(call);
      response.destroy();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    calls,
    wasHit: () => hit,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

async function forward(port, request, body) {
  const upstream = http.request({
    host: '127.0.0.1',
    port,
    method: request.method,
    path: request.url,
    headers: request.headers,
    agent: false,
  });
  // A worker that went away must look so to the server too, or its long poll would live on.
  const abort = () => upstream.destroy();
  request.socket.once('close', abort);
  try {
    return await new Promise((resolve, reject) => {
      upstream.once('error', reject);
      upstream.once('response', (answer) => {
        readAll(answer).then(
          (bytes) => resolve({ statusCode: answer.statusCode, headers: answer.headers, body: bytes }),
          reject,
        );
      });
      upstream.end(body);
    });
  } finally {
    request.socket.off('close', abort);
  }
}

async function readAll(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
