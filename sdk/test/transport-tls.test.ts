import { readFileSync } from 'node:fs';
import { createServer as createServer1 } from 'node:http';
import { createSecureServer, createServer as createServer2 } from 'node:http2';
import { createServer } from 'node:https';
import { afterEach, describe, expect, test } from 'vitest';
import { ConfigurationError, ConnectionError } from '../src/errors.js';
import { createTransport } from '../src/transport/create.js';
import type { TlsOptions } from '../src/transport/tls.js';
import type { Transport } from '../src/transport/transport.js';
import { failureOf } from './support/failure.js';
import { grpc, message, OK, Stranger } from './support/stranger.js';
import { NODE_TRANSPORTS } from './support/transports.js';

const pem = (name: string): Buffer => readFileSync(new URL(`./fixtures/tls/${name}.pem`, import.meta.url));
const SERVER = { cert: pem('server'), key: pem('server-key') };
const CLIENT = { cert: pem('client'), key: pem('client-key') };
const ca = pem('authority');

let server: Stranger;
let transport: Transport;

afterEach(async () => {
  await transport.close();
  await server.close();
});

async function answerTo(): Promise<string> {
  const { body } = await transport.unary('/flovyn.v1.WorkflowDispatch/GetEvents', new Uint8Array());
  return new TextDecoder().decode(body);
}

describe.each(NODE_TRANSPORTS)('transport %s over TLS', (kind, language) => {
  async function connect(tls: TlsOptions | undefined, ofServer: object = {}, host = 'localhost') {
    const options = { ...SERVER, ...ofServer };
    const answer = grpc(language, [message('an answer'), OK]);
    server = await Stranger.start(
      answer,
      kind === 'http' ? createServer(options) : createSecureServer(options),
    );
    transport = createTransport({ serverUrl: `https://${host}:${server.port}`, transport: kind, tls });
  }

  test('a server whose authority is named is trusted, and its connection is kept', async () => {
    await connect({ ca });
    expect(await answerTo()).toBe('an answer');
    expect(await answerTo()).toBe('an answer');
    expect(server.accepted).toBe(1);
  });

  test('texts and lists are taken as certificates too', async () => {
    await connect({ ca: [ca.toString()] });
    expect(await answerTo()).toBe('an answer');
  });

  test('a server of an unknown authority is not trusted', async () => {
    await connect(undefined);
    const error = await failureOf(answerTo());
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error.message).toMatch(/\(UNABLE_TO_VERIFY_LEAF_SIGNATURE\): .* name the authority .* as tls\.ca/);
    expect(server.seen).toEqual([]);
  });

  test('a server with a certificate for another host is not trusted, unless that host is named', async () => {
    await connect({ ca }, {}, '127.0.0.1');
    const error = await failureOf(answerTo());
    expect(error.message).toContain('ERR_TLS_CERT_ALTNAME_INVALID');
    await transport.close();
    await server.close();
    await connect({ ca, servername: 'server.test' }, {}, '127.0.0.1');
    expect(await answerTo()).toBe('an answer');
  });

  test('rejectUnauthorized: false trusts anyone', async () => {
    await connect({ rejectUnauthorized: false });
    expect(await answerTo()).toBe('an answer');
  });

  test('a server that asks who we are is told', async () => {
    const asking = { ca, requestCert: true, rejectUnauthorized: true };
    await connect({ ca, ...CLIENT }, asking);
    expect(await answerTo()).toBe('an answer');
    await transport.close();
    await server.close();
    await connect({ ca }, asking);
    expect(await failureOf(answerTo())).toBeInstanceOf(ConnectionError);
  });

  test('what is no certificate is a failure of the call', async () => {
    await connect({ ca, cert: 'nonsense', key: 'nonsense' });
    const error = await failureOf(answerTo());
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error.message).toMatch(/^tls: Node cannot read a certificate or key of it: /);
  });
});

test.each([
  ['http2', 'http:', createServer1, /no HTTP\/2 .* "http" for gRPC-Web/],
  ['http2', 'https:', createServer, /no HTTP\/2 .* "http" for gRPC-Web/],
  ['http', 'http:', createServer2, /no HTTP\/1\.1; choose the transport "http2"/],
] as const)(
  'transport %s to an %s server that does not have it: the other is named',
  async (kind, scheme, start, text) => {
    server = await Stranger.start(() => {}, (start as (options: object) => object)(SERVER));
    const tls = scheme === 'https:' ? { ca } : undefined;
    transport = createTransport({ serverUrl: `${scheme}//localhost:${server.port}`, transport: kind, tls });
    const error = await failureOf(answerTo());
    expect(error.message).toMatch(text);
  },
);
