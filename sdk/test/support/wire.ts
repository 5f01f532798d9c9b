import { createServer } from 'node:http';
import { type FlovynError, GrpcCode, type GrpcCodeName } from '../../src/errors.js';
import type { Transport } from '../../src/transport/transport.js';
import { type Answer, message, OK, Stranger, trailers, web } from './stranger.js';

/** A gRPC-Web server on a real socket, over HTTP or what `server` speaks, that passes every call on to a transport. */
export async function serve(transport: Transport, server: object = createServer()): Promise<Stranger> {
  const answer: Answer = async (response, { path, headers, body }) => {
    const claim = headers['flovyn-claim'];
    const metadata = typeof claim === 'string' ? { 'flovyn-claim': claim } : {};
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const frames = await transport
      .unary(path, body.subarray(5), { metadata, signal: gone.signal })
      .then((given) => [message(Buffer.from(given.body)), OK])
      .catch((error: unknown) => [refusal(error as FlovynError)]);
    web.begin(response, { 'flovyn-ext': '1' });
    web.end(response, frames);
  };
  return Stranger.start(answer, server);
}

function refusal({ code, message: text }: FlovynError): Buffer {
  return trailers(GrpcCode[code as GrpcCodeName] ?? GrpcCode.UNKNOWN, text);
}
