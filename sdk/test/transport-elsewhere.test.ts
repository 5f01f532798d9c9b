import { expect, test, vi } from 'vitest';
import { FlovynClient } from '../src/client/client.js';
import { ConfigurationError, Unsupported } from '../src/errors.js';
import { createTransport, type TransportKind } from '../src/transport/create.js';
import { grpcWeb, message, OK, Stranger } from './support/stranger.js';

// Here nothing has installed what the entry for Node brings: this is how the package is in every other runtime.

const serverUrl = 'https://localhost:9090';

test.each<TransportKind>(['http', 'http2'])('transport %s exists in Node only, and says so', (transport) => {
  for (const open of [
    () => createTransport({ serverUrl, transport }),
    () => new FlovynClient({ serverUrl, transport }),
  ]) {
    expect(open).toThrow(Unsupported);
    expect(open).toThrow(`transport "${transport}" needs node:${transport}`);
  }
});

test('tls is refused, since fetch knows no such thing', () => {
  const open = (): unknown => createTransport({ serverUrl, tls: { ca: 'x' } });
  expect(open).toThrow(ConfigurationError);
  expect(open).toThrow('what fetch trusts is set in the runtime');
});

test('fetch is the default', async () => {
  const server = await Stranger.start(grpcWeb([message('an answer'), OK]));
  const used = vi.spyOn(globalThis, 'fetch');
  await createTransport({ serverUrl: server.url }).unary('/a/b', new Uint8Array());
  expect(used).toHaveBeenCalledTimes(1);
  await server.close();
});
