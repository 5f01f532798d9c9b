import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer as createSecureServer } from 'node:https';
import { FlovynClient } from '../../src/client/client.js';
import type { FlovynClientOptions } from '../../src/client/options.js';
import { NotFoundError } from '../../src/errors.js';
import { encodeStartWorkflow } from '../../src/core.js';
import { Method } from '../../src/rpc/methods.js';
import { createTransport } from '../../src/transport/create.js';
import { EMBEDDED_ORG_ID, EmbeddedTransport } from '../../src/transport/embedded.js';
import { GrpcWebTransport } from '../../src/transport/grpc-web.js';
import type { TlsOptions } from '../../src/transport/tls.js';
import type { CallOptions, Transport } from '../../src/transport/transport.js';
import { ManualClock } from '../support/manual-clock.js';
import { type Answer, grpcWeb, http, message, OK, Stranger, trailers } from '../support/stranger.js';
import '../support/transports.js';
import { hastyClock, hidden } from '../support/world.js';
import { type Observation, type Observations, only } from './difference.js';
import { outcomeOf } from './play.js';

const METHOD = '/flovyn.v1.WorkflowDispatch/GetEvents';
const NEW_WORKFLOW = { workflowKind: 'w', input: 'null', queue: 'default', idempotencyKey: 'key' };
const answering: Answer = grpcWeb([message('an answer'), OK]);
const UNKNOWN = '01234567-89ab-4def-8123-456789abcdef';
/** What differs from run to run, or is the same for any client. */
const IGNORED_HEADERS = /^(host|connection|content-length|user-agent|accept.*|sec-.*)$/;

/** What a server saw of what a client does, and what came of it for the client. */
async function seenBy(
  answer: Answer,
  act: (serverUrl: string) => PromiseLike<unknown>,
): Promise<{ outcome: unknown; requests: unknown[] }> {
  const server = await Stranger.start(answer);
  try {
    const outcome = withoutPort(await outcomeOf(act(server.url)), server);
    const requests = server.seen.map(({ path, headers }) => [path, kept(headers)]);
    return { outcome, requests };
  } finally {
    await server.close();
  }
}

function kept(headers: object): unknown {
  return Object.entries(headers).filter(([name]) => !IGNORED_HEADERS.test(name));
}

function withoutPort(value: unknown, { port }: Stranger): unknown {
  return JSON.parse(JSON.stringify(value ?? null).replaceAll(`:${port}`, ':<port>'));
}

const calling =
  (option: string, value: unknown, answer: Answer = answering): Observation =>
  (given) =>
    seenBy(answer, (serverUrl) => called(createTransport({ serverUrl, ...only(given, option, value) })));

async function called(transport: Transport, options: CallOptions = {}): Promise<string> {
  try {
    const { body } = await transport.unary(METHOD, new Uint8Array(), options);
    return new TextDecoder().decode(body);
  } finally {
    await transport.close();
  }
}

const withCallOption =
  (option: string, value: () => unknown, answer: Answer = answering): Observation =>
  (given) =>
    seenBy(answer, (serverUrl) =>
      called(createTransport({ serverUrl, transport: 'http' }), only(given, option, value())),
    );

/** What options of transports and of their calls change. */
export const transports: Observations = {
  createTransport: (given) =>
    seenBy(answering, (serverUrl) => (given ? called(createTransport({ serverUrl })) : Promise.resolve())),
  'TransportOptions.transport': calling('transport', 'http2'),
  'TransportOptions.tls': (given) => secured(given ? { ca } : undefined),
  'RequestOptions.token': calling('token', 'a key'),
  'RequestOptions.headers': calling('headers', { 'x-team': 'red' }),
  'RequestOptions.maxMessageBytes': calling(
    'maxMessageBytes',
    1_024,
    grpcWeb([message('x'.repeat(2_000)), OK]),
  ),
  'GrpcWebOptions.fetch': calling('fetch', async () => new Response('no gRPC', { status: 418 })),
  'CallOptions.metadata': withCallOption('metadata', () => ({ 'x-request': '1' })),
  'CallOptions.signal': withCallOption('signal', () => AbortSignal.abort(new Error('enough'))),
  'CallOptions.deadlineMs': withCallOption('deadlineMs', () => 60_000),
  'CallOptions.extensions': withCallOption('extensions', () => false),
  'CallOptions.subject': async (given) => {
    const missing = grpcWeb(trailers(5, 'not there'));
    let error: unknown;
    await seenBy(missing, async (serverUrl) => {
      const subject = { type: 'Order', id: '7' };
      error = await called(createTransport({ serverUrl }), only(given, 'subject', subject)).catch(
        (thrown: unknown) => thrown,
      );
    });
    return error instanceof NotFoundError ? [error.resourceType, error.resourceId] : 'another error';
  },
  'CallOptions.repeatable': (given) => secondCall(given ? { repeatable: true } : {}),
  'GrpcWebTransport.unary': (given) =>
    seenBy(answering, async (serverUrl) => {
      const transport = new GrpcWebTransport({ serverUrl });
      if (given) await called(transport);
    }),
  'GrpcWebTransport.serverStream': (given) =>
    seenBy(grpcWeb([message('one'), message('two'), OK]), async (serverUrl) => {
      const transport = new GrpcWebTransport({ serverUrl });
      let count = 0;
      if (given) for await (const _ of transport.serverStream(METHOD, new Uint8Array())) count += 1;
      return count;
    }),
  'GrpcWebTransport.close': closing((serverUrl) => new GrpcWebTransport({ serverUrl })),
  'EmbeddedTransport.unary': async (given) => {
    const transport = new EmbeddedTransport();
    const client = new FlovynClient({ transport, logger: quiet });
    await client.start();
    const request = { ...NEW_WORKFLOW, orgId: EMBEDDED_ORG_ID };
    if (given) await transport.unary(Method.StartWorkflow, encodeStartWorkflow(request));
    const { total } = await client.listWorkflows();
    await client.stop();
    return total;
  },
  'EmbeddedTransport.serverStream': (given) => (given ? new EmbeddedTransport().serverStream(METHOD) : null),
  'EmbeddedTransport.close': closing(() => new EmbeddedTransport()),
};

function closing(make: (serverUrl: string) => Transport): Observation {
  return (given) =>
    seenBy(answering, async (serverUrl) => {
      const transport = make(serverUrl);
      if (given) await transport.close();
      return transport.unary(METHOD, new Uint8Array()).then(
        () => 'answered',
        (error: unknown) => (error as { code: string }).code,
      );
    });
}

/** A call over a connection that was kept and that the server ends without a word. */
async function secondCall(options: CallOptions): Promise<unknown> {
  const server = await Stranger.start(answering);
  const transport = createTransport({ serverUrl: server.url, transport: 'http' });
  const call = (): Promise<unknown> => transport.unary(METHOD, new Uint8Array(), options);
  await call();
  let calls = 0;
  server.answers((response, seen) => {
    calls += 1;
    if (calls === 1) response.socket?.destroy();
    else void answering(response, seen);
  });
  const outcome = await outcomeOf(call().then(() => 'answered'));
  const seen = withoutPort([outcome, calls], server);
  await transport.close();
  await server.close();
  return seen;
}

const pem = (name: string): Buffer => readFileSync(new URL(`../fixtures/tls/${name}.pem`, import.meta.url));
const ca = pem('authority');
const SERVER = { cert: pem('server'), key: pem('server-key') };
const CLIENT = { cert: pem('client'), key: pem('client-key') };
const asking = { ca, requestCert: true, rejectUnauthorized: true };

/** Whether a server over TLS could be called. */
async function secured(tls: TlsOptions | undefined, ofServer = {}, host = 'localhost'): Promise<unknown> {
  const server = await Stranger.start(answering, createSecureServer({ ...SERVER, ...ofServer }));
  const serverUrl = `https://${host}:${server.port}`;
  const transport = createTransport({ serverUrl, transport: 'http', tls });
  const outcome = await called(transport).catch((error: unknown) => (error as Error).name);
  await server.close();
  return outcome;
}

function encrypted(passphrase: string): string {
  const format = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase } as const;
  return createPrivateKey(CLIENT.key).export(format) as string;
}

/** What options of TLS change. */
export const tls: Observations = {
  'TlsOptions.ca': (given) => secured(only(given, 'ca', ca)),
  'TlsOptions.cert': (given) => secured({ ca, ...(given ? CLIENT : {}) }, asking),
  'TlsOptions.key': (given) => secured({ ca, ...(given ? CLIENT : {}) }, asking),
  'TlsOptions.pfx': (given) => secured({ ca, ...only(given, 'pfx', Buffer.from('none')) }),
  'TlsOptions.passphrase': (given) => {
    const key = encrypted('a secret');
    return secured({ ca, cert: CLIENT.cert, key, ...only(given, 'passphrase', 'a secret') }, asking);
  },
  'TlsOptions.servername': (given) =>
    secured({ ca, ...only(given, 'servername', 'server.test') }, {}, '127.0.0.1'),
  'TlsOptions.rejectUnauthorized': (given) => secured(only(given, 'rejectUnauthorized', false)),
  'TlsOptions.minVersion': (given) =>
    secured({ ca, ...only(given, 'minVersion', 'TLSv1.3') }, { maxVersion: 'TLSv1.2' }),
};

/** What a server sees of a client that starts a workflow, and asks for the description of one. */
const asClient =
  (option: keyof FlovynClientOptions, value: unknown, rest: Partial<FlovynClientOptions> = {}): Observation =>
  (given) =>
    seenBy(grpcWeb([message(''), OK]), async (serverUrl) => {
      const options = { serverUrl, ...rest, ...only(given, option, value) } as FlovynClientOptions;
      const client = new FlovynClient({ ...options, logger: quiet });
      await client.start();
      const outcome = await outcomeOf(client.startWorkflow('w'));
      await client.stop();
      return outcome;
    });

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** What a plain server sees of a client that asks an operator's question, which goes over REST there. */
const overRest =
  (option: keyof FlovynClientOptions, value: unknown): Observation =>
  (given) =>
    seenBy(http(404, 'application/json', '{"error":"no","code":"NOT_FOUND"}'), async (serverUrl) => {
      const rest = { serverUrl, httpUrl: `${serverUrl}/rest`, orgId: UNKNOWN, logger: quiet };
      const options = { ...rest, extensions: false, ...only(given, option, value) };
      const client = new FlovynClient(options as FlovynClientOptions);
      await client.start();
      const outcome = await outcomeOf(client.getWorkflowHandle(UNKNOWN).describe());
      await client.stop();
      return outcome;
    });

/** What options of clients change of the calls to a server. */
export const networkOptions: Observations = {
  'FlovynClientOptions.serverUrl': (given) =>
    seenBy(answering, (serverUrl) =>
      Promise.resolve().then(() => void new FlovynClient(only(given, 'serverUrl', serverUrl))),
    ),
  'FlovynClientOptions.apiKey': asClient('apiKey', 'a key'),
  'FlovynClientOptions.workerToken': asClient('workerToken', 'a key'),
  'FlovynClientOptions.headers': asClient('headers', { 'x-team': 'red' }),
  'FlovynClientOptions.fetch': asClient('fetch', async () => new Response('no gRPC', { status: 418 })),
  'FlovynClientOptions.tls': async (given) => {
    const server = await Stranger.start(grpcWeb([message(''), OK]), createSecureServer(SERVER));
    const client = new FlovynClient({
      serverUrl: `https://localhost:${server.port}`,
      logger: quiet,
      ...hidden({ clock: hastyClock }),
      ...only(given, 'tls', { ca }),
    });
    await client.start();
    const { failed } = (await outcomeOf(client.startWorkflow('w'))) as { failed?: string };
    await client.stop();
    await server.close();
    return failed ?? 'started';
  },
  'FlovynClientOptions.httpUrl': overRest('httpUrl', 'http://localhost:1'),
  'FlovynClientOptions.orgSlug': overRest('orgSlug', 'acme'),
};

/** What options of the embedded engine change. */
export const engine: Observations = {
  'EmbeddedOptions.orgId': (given) => engineSays(only(given, 'orgId', UNKNOWN), { orgId: UNKNOWN }),
  'EmbeddedOptions.orgSlug': (given) => engineSays(only(given, 'orgSlug', 'acme'), { orgId: 'acme' }),
  'EmbeddedOptions.logger': async (given) => {
    const warnings: string[] = [];
    const logger = { ...quiet, warn: (text: string) => void warnings.push(text) };
    const transport = new EmbeddedTransport(only(given, 'logger', logger));
    const client = new FlovynClient({ transport });
    await client.start();
    const { handle } = await client.startWorkflow('w');
    // Half of what a history may hold.
    for (let n = 0; n < 13; n += 1) await handle.signal('s', 'x'.repeat(2_097_000));
    await client.stop();
    await transport.close();
    return warnings.length;
  },
  'EmbeddedOptions.clock': async (given) => {
    const transport = new EmbeddedTransport(only(given, 'clock', new ManualClock()));
    const client = new FlovynClient({ transport });
    await client.start();
    const { handle } = await client.startWorkflow('w');
    const { createdAt } = await handle.describe();
    await client.stop();
    await transport.close();
    return createdAt.getTime() < 2_000_000;
  },
};

async function engineSays(options: object, of: Partial<FlovynClientOptions>): Promise<unknown> {
  const transport = new EmbeddedTransport(options);
  const client = new FlovynClient({ transport, ...of });
  await client.start();
  const outcome = await outcomeOf(client.startWorkflow('w').then(() => 'started'));
  await client.stop();
  await transport.close();
  return outcome;
}
