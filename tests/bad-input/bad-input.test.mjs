import http from 'node:http';
import http2 from 'node:http2';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  AuthenticationError,
  ConfigurationError,
  ConnectionError,
  FlovynClient,
  NotFoundError,
  RpcError,
  SerializationError,
  workflow,
} from '@flovyn/sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort, startServer } from '../support/server.mjs';
import { frame, postFrames } from './frames.mjs';

const UNKNOWN_UUID = '01234567-89ab-4def-8123-456789abcdef';
const MEGABYTE = 1_000_000;

/** Each transport, and how a stranger listens to it. */
const TRANSPORTS = [
  ['fetch', http.createServer, 'application/grpc-web+proto'],
  ['http', http.createServer, 'application/grpc-web+proto'],
  ['http2', http2.createServer, 'application/grpc+proto'],
];

const hello = workflow({ name: 'hello', run: async (_ctx, input) => `hello ${input}` });

let folder;
let server;
let worker;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'flovyn-bad-input-'));
  server = await startServer({ data: folder, args: ['--auth'] });
  worker = clientOf({});
  worker.registerWorkflow(hello);
  await worker.start();
});

afterAll(async () => {
  await worker?.stop();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

function clientOf(options) {
  return new FlovynClient({
    serverUrl: server.url,
    orgId: server.orgId,
    apiKey: server.apiKey,
    workerToken: server.workerKey,
    queue: 'bad-input',
    ...options,
  });
}

async function stranger(createServer, contentType, body) {
  const listener = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': contentType }).end(body);
  });
  await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${listener.address().port}`, close: () => listener.close() };
}

async function withClient(options, act) {
  const client = clientOf(options);
  await client.start();
  try {
    return await act(client);
  } finally {
    await client.stop();
  }
}

const start = (options, input = 'you') => withClient(options, (client) => client.startWorkflow(hello, input));
const resultOf = (transport, id) =>
  withClient({ transport }, (client) => client.getWorkflowHandle(id).result());

function circular() {
  const order = { items: [{ sku: 'a' }] };
  order.items.push(order);
  return { order };
}

describe.each(TRANSPORTS)('over %s', (transport, createServer, contentType) => {
  /** Servers that answer what no Flovyn server answers. */
  const strangers = {};

  beforeAll(async () => {
    strangers.html = await stranger(createServer, 'text/html', Buffer.from('<html>welcome</html>'));
    strangers.truncated = await stranger(createServer, contentType, Buffer.from([0, 0, 0, 0, 9, 1, 2]));
    strangers.garbage = await stranger(createServer, contentType, Buffer.from('what is this?'));
  });

  afterAll(() => {
    for (const { close } of Object.values(strangers)) close();
  });

  /** Input, then the class, the code and a fragment of the message of the error that it must give. */
  const table = [
    [
      'a server URL that is none',
      () => start({ transport, serverUrl: 'nonsense' }),
      ConfigurationError,
      'CONFIGURATION',
      'serverUrl',
    ],
    [
      'the URL of a web page',
      () => start({ transport, serverUrl: strangers.html.url }),
      RpcError,
      'UNKNOWN',
      'expected gRPC',
    ],
    [
      'no server there',
      async () => start({ transport, serverUrl: `http://127.0.0.1:${await freePort()}` }),
      ConnectionError,
      'UNAVAILABLE',
      '127.0.0.1',
    ],
    [
      'a wrong key',
      () => start({ transport, apiKey: 'flovyn_sk_wrong' }),
      AuthenticationError,
      'UNAUTHENTICATED',
      'key',
    ],
    [
      'another organisation',
      () => start({ transport, orgId: UNKNOWN_UUID }),
      AuthenticationError,
      'PERMISSION_DENIED',
      'organisation',
    ],
    [
      'an organisation that is no UUID',
      () => start({ transport, orgId: 'acme!' }),
      RpcError,
      'INVALID_ARGUMENT',
      'acme!',
    ],
    [
      'a malformed execution id',
      () => resultOf(transport, 'nonsense'),
      RpcError,
      'INVALID_ARGUMENT',
      'nonsense',
    ],
    [
      'an unknown execution',
      () => resultOf(transport, UNKNOWN_UUID),
      NotFoundError,
      'NOT_FOUND',
      UNKNOWN_UUID,
    ],
    [
      'a promise id that nobody knows',
      () => withClient({ transport }, (client) => client.resolvePromise('nonsense', 1)),
      NotFoundError,
      'NOT_FOUND',
      'nonsense',
    ],
    [
      'circular input',
      () => start({ transport }, circular()),
      SerializationError,
      'SERIALIZATION',
      '$.order.items[1]',
    ],
    [
      'a function as input',
      () => start({ transport }, [() => 1]),
      SerializationError,
      'SERIALIZATION',
      '$[0]',
    ],
    [
      'a payload of 3 MB',
      () => start({ transport }, 'x'.repeat(3 * MEGABYTE)),
      RpcError,
      'RESOURCE_EXHAUSTED',
      'bytes',
    ],
    [
      'an answer cut in the middle',
      () => start({ transport, serverUrl: strangers.truncated.url }),
      RpcError,
      'INTERNAL',
      'expected',
    ],
    [
      'an answer of garbage',
      () => start({ transport, serverUrl: strangers.garbage.url }),
      RpcError,
      'INTERNAL',
      'expected',
    ],
  ];

  test.each(table)('%s', async (_name, act, errorClass, code, fragment) => {
    const error = await act().then(
      (value) => expect.fail(`expected an error, got ${JSON.stringify(value)}`),
      (thrown) => thrown,
    );
    expect(error).toBeInstanceOf(errorClass);
    expect(error.constructor).toBe(errorClass);
    expect(error).toMatchObject({ code });
    expect(error.message).toContain(fragment);
    await expectGoodRequest();
  });
});

/** What a foreign client may send, as bytes: the gRPC status that the server answers. */
const RESOLVE = '/flovyn.v1.WorkflowDispatch/ResolvePromise';
const ID = Buffer.from([0x0a, UNKNOWN_UUID.length, ...Buffer.from(UNKNOWN_UUID)]);
const frames = [
  [
    'a payload that is not JSON',
    frame(Buffer.concat([ID, Buffer.from([0x12, 4]), Buffer.from('oops')])),
    3,
    'JSON',
  ],
  ['a message that is not protobuf', frame(Buffer.from([0xff, 0xff, 0xff])), 3, ''],
  ['a frame cut in the middle', Buffer.from([0, 0, 0, 0, 40, 10, 2]), 3, ''],
  ['no frame at all', Buffer.alloc(0), 3, ''],
  ['garbage', Buffer.from('what is this?'), 3, ''],
  ['a frame that claims 4 GB', Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1]), 8, ''],
];

test.each(frames)('%s, to the server', async (_name, body, status, fragment) => {
  const answer = await postFrames(server, RESOLVE, body);
  expect(answer.status).toBe(status);
  expect(answer.message).toContain(fragment);
  await expectGoodRequest();
});

async function expectGoodRequest() {
  expect(await worker.executeWorkflow(hello, 'again')).toBe('hello again');
}
