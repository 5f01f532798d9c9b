import { expect, test } from 'vitest';
import { FlovynClient } from '../src/client/client.js';
import type { FlovynClientOptions } from '../src/client/options.js';
import { ConfigurationError } from '../src/errors.js';
import { createTransport, type TransportOptions } from '../src/transport/create.js';
import { EmbeddedTransport } from '../src/transport/embedded.js';
import { grpcWeb, message, OK, Stranger } from './support/stranger.js';
import './support/transports.js';

function connect(options: Partial<TransportOptions>): unknown {
  return createTransport({ serverUrl: 'http://localhost:9090', ...options });
}

test.each<[Partial<TransportOptions>, RegExp]>([
  [{ serverUrl: 'nonsense' }, /serverUrl must be like http:\/\/localhost:9090 .*, got "nonsense"/],
  [{ serverUrl: 'localhost:9090' }, /serverUrl must be like/],
  [{ serverUrl: 'ftp://localhost' }, /serverUrl must be like/],
  [{ serverUrl: 'http://user:secret@localhost' }, /user name or password/],
  [{ serverUrl: 'http://localhost/?a=1' }, /without "\?" and "#"/],
  [{ token: '' }, /The key is empty/],
  [{ token: 'secret\nkey' }, /The key holds a character/],
  [{ headers: { 'Content-Type': 'text/plain' } }, /"Content-Type" cannot be set/],
  [{ headers: { 'x y': '1' } }, /"x y" cannot be the name of a header/],
  [{ headers: { 'x-y': 'ü' } }, /The header "x-y" holds a character/],
  [{ maxMessageBytes: 1_023 }, /maxMessageBytes must be/],
  [{ headers: { TE: 'gzip' } }, /"TE" cannot be set/],
  [{ headers: { Connection: 'close' } }, /"Connection" cannot be set/],
])('the options %o are refused', (options, text) => {
  expect(() => connect(options)).toThrow(ConfigurationError);
  expect(() => connect(options)).toThrow(text);
  expect(() => connect(options)).not.toThrow(/secret/);
});

const HTTPS = { serverUrl: 'https://localhost:9090' };

test.each<[Partial<TransportOptions>, RegExp]>([
  [
    { transport: 'grpc' as 'http' },
    /transport must be one of fetch, http, http2 or an object with the calls of a Transport, got "grpc"/,
  ],
  [{ transport: 2 as unknown as 'http' }, /transport must be one of .* got 2/],
  [{ transport: null as unknown as 'http' }, /transport must be one of .* got null/],
  [{ transport: 'http', fetch }, /The option fetch has no effect with transport "http"/],
  [{ transport: 'http2', fetch }, /The option fetch has no effect with transport "http2"/],
  [{ tls: { ca: 'x' } }, /only with a serverUrl that begins with https/],
  [
    { ...HTTPS, transport: 'fetch', tls: { ca: 'x' } },
    /The option tls works with the transports "http" and "http2"/,
  ],
  [{ ...HTTPS, fetch, tls: { ca: 'x' } }, /The option tls works with the transports "http" and "http2"/],
  [
    { ...HTTPS, tls: { certificate: 'x' } as object },
    /tls: unknown option "certificate", expected one of ca, /,
  ],
  [{ ...HTTPS, tls: 'x' as unknown as object }, /tls must be an object/],
  [{ ...HTTPS, tls: { cert: 'x' } }, /tls\.cert and tls\.key belong together/],
  [{ ...HTTPS, tls: { rejectUnauthorized: 0 as unknown as boolean } }, /must be true or false, got 0/],
  [{ ...HTTPS, tls: { minVersion: 'SSLv3' } }, /tls\.minVersion must be one of TLSv1, .*, got "SSLv3"/],
])('the transport options %o are refused, by the client too', (options, text) => {
  for (const open of [() => connect(options), () => client(options)]) {
    expect(open).toThrow(ConfigurationError);
    expect(open).toThrow(text);
  }
});

function client(options: Partial<FlovynClientOptions>): FlovynClient {
  return new FlovynClient({ serverUrl: 'http://localhost:9090', ...options });
}

test.each<[FlovynClientOptions, RegExp]>([
  [{ embedded: true, tls: { ca: 'x' } }, /"tls" has an effect only together with serverUrl/],
  [{ embedded: true, transport: 'http' }, /"transport" has an effect only together with serverUrl/],
  [{ transport: 'http' }, /needs exactly one of serverUrl, embedded: true and transport, got none/],
  [{ serverUrl: 'http://localhost:9090', transport: new EmbeddedTransport() }, /exactly one of .* got 2/],
  [{ transport: new EmbeddedTransport(), tls: {} }, /"tls" has an effect only together with serverUrl/],
  [{ transport: { unary() {} } as unknown as EmbeddedTransport }, /the transport has no "serverStream"/],
])('the client options %o are refused', (options, text) => {
  expect(() => new FlovynClient(options)).toThrow(ConfigurationError);
  expect(() => new FlovynClient(options)).toThrow(text);
});

test('a fetch that is given carries the calls, without being chosen', async () => {
  const server = await Stranger.start(grpcWeb([message('an answer'), OK]));
  let calls = 0;
  const counted: typeof fetch = (input, init) => {
    calls += 1;
    return fetch(input, init);
  };
  for (const options of [{ fetch: counted }, { fetch: counted, transport: 'fetch' as const }])
    await createTransport({ serverUrl: server.url, ...options }).unary('/a/b', new Uint8Array());
  expect(calls).toBe(2);
  await server.close();
});
