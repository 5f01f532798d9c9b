import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AuthenticationError, ConnectionError, RpcError } from '../src/errors.js';
import { createTransport } from '../src/transport/create.js';
import type { Transport } from '../src/transport/transport.js';
import { failureOf } from './support/failure.js';
import {
  type Answer,
  frame,
  grpc,
  http,
  type Language,
  message,
  OK,
  type Stranger,
  web,
} from './support/stranger.js';
import { TRANSPORTS } from './support/transports.js';

const METHOD = '/flovyn.v1.WorkflowDispatch/StartWorkflow';

const MB_OF_HTML = `<!doctype html><html>\n\n<title>Welcome</title>${'<p>text</p>'.repeat(100_000)}`;

type Row = [name: string, answer: Answer, errorClass: unknown, code: string, fragments: string[]];

/** Answers of things that are no Flovyn server, and what the caller is told. */
function foreignTo(language: Language): Row[] {
  const answerOf = (frames: Buffer | readonly Buffer[], headers?: Record<string, string>): Answer =>
    grpc(language, frames, headers);
  const rows: Row[] = [
    [
      'a web page',
      http(200, 'text/html', MB_OF_HTML),
      RpcError,
      'UNKNOWN',
      [`expected ${language.protocol} from`, 'HTTP 200 (text/html)', 'Welcome', 'Check that serverUrl'],
    ],
    [
      'a page that is not there',
      http(404, 'text/plain', 'no'),
      RpcError,
      'UNIMPLEMENTED',
      ['HTTP 404 (text/plain) "no"', 'Check that serverUrl'],
    ],
    [
      'another API',
      http(400, 'application/json', '{"error":1}'),
      RpcError,
      'INTERNAL',
      ['"{"error":1}"', 'Check that serverUrl'],
    ],
    [
      'a proxy that wants a key',
      http(401, 'text/plain'),
      AuthenticationError,
      'UNAUTHENTICATED',
      ['without a body', 'A proxy before the server refused'],
    ],
    [
      'a proxy that forbids',
      http(403, 'text/plain'),
      AuthenticationError,
      'PERMISSION_DENIED',
      ['A proxy before the server refused'],
    ],
    [
      'a proxy with a limit',
      http(413, 'text/plain'),
      RpcError,
      'RESOURCE_EXHAUSTED',
      ['request of that size'],
    ],
    [
      'a proxy without a server',
      http(502, 'text/html', 'Bad Gateway'),
      ConnectionError,
      'UNAVAILABLE',
      ['HTTP 502', 'try later'],
    ],
    ['a proxy that waits', http(504, 'text/html'), ConnectionError, 'UNAVAILABLE', ['HTTP 504']],
    ['a server that breaks', http(500, 'text/plain', 'oops'), RpcError, 'UNKNOWN', ['"oops"', 'logs']],
    [
      'garbage',
      answerOf(Buffer.from('what is this?')),
      RpcError,
      'INTERNAL',
      [`broken ${language.protocol} answer`, 'expected'],
    ],
    [
      'garbage after a message',
      answerOf([message('a'), Buffer.from('what is this?')]),
      RpcError,
      'INTERNAL',
      [`broken ${language.protocol} answer`, 'expected'],
    ],
    ['a compressed frame', answerOf([frame(1, 'zzz'), OK]), RpcError, 'INTERNAL', ['compress']],
    ['nothing', answerOf(Buffer.alloc(0)), RpcError, 'INTERNAL', ['expected a status at the end, got none']],
    [
      'a message without a status',
      answerOf(message('a')),
      RpcError,
      'INTERNAL',
      ['expected a status at the end, got none'],
    ],
    [
      'half a frame',
      answerOf(message('an answer').subarray(0, 9)),
      RpcError,
      'INTERNAL',
      [`broken ${language.protocol} answer`, 'expected'],
    ],
    [
      'two messages',
      answerOf([message('a'), message('b'), OK]),
      RpcError,
      'INTERNAL',
      ['expected one message, got more'],
    ],
    ['no message', answerOf(OK), RpcError, 'INTERNAL', ['expected a message before the status OK']],
    [
      'a frame that claims 4 GB',
      answerOf(Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1])),
      RpcError,
      'INTERNAL',
      ['bytes'],
    ],
    [
      'a connection that ends at once',
      (response) => language.cut(response),
      ConnectionError,
      'UNAVAILABLE',
      ['No server could be reached'],
    ],
    [
      'a connection that ends in the body',
      async (response) => {
        language.begin(response);
        await new Promise((resolve) => response.write(message('a'), resolve));
        language.cut(response);
      },
      ConnectionError,
      'UNAVAILABLE',
      ['was cut off', 'whether'],
    ],
  ];
  const ofWeb: Row[] = [
    ['gRPC without Web', http(200, 'application/grpc', 'x'), RpcError, 'UNKNOWN', ['turn gRPC-Web on']],
    [
      'half a trailer frame',
      answerOf([message('a'), OK.subarray(0, 8)]),
      RpcError,
      'INTERNAL',
      [`broken ${language.protocol} answer`, 'expected'],
    ],
    [
      'more after the end',
      answerOf([message('a'), OK, message('b')]),
      RpcError,
      'INTERNAL',
      ['expected the end of the body after the trailers'],
    ],
  ];
  const ofNative: Row[] = [
    [
      'gRPC-Web where gRPC is expected',
      http(200, web.contentType, 'x'),
      RpcError,
      'UNKNOWN',
      ['expected gRPC from', 'choose the transport "http"'],
    ],
    [
      'trailers in a frame',
      (response) => {
        language.begin(response);
        response.end(Buffer.concat([message('a'), OK]));
      },
      RpcError,
      'INTERNAL',
      ['expected trailers after the body'],
    ],
    [
      'a body that ends where its status should be',
      (response) => {
        language.begin(response);
        response.addTrailers({ 'x-other': '1' });
        response.end(message('a'));
      },
      RpcError,
      'INTERNAL',
      ['expected a status at the end, got none'],
    ],
  ];
  return [...rows, ...(language === web ? ofWeb : ofNative)];
}

describe.each(TRANSPORTS)('transport %s', (transportKind, language) => {
  let server: Stranger;
  let transport: Transport;

  beforeEach(async () => {
    server = await language.start(grpc(language, [message('an answer'), OK]));
    transport = createTransport({ serverUrl: server.url, transport: transportKind });
  });

  afterEach(async () => {
    await transport.close();
    await server.close();
  });

  async function answerTo(): Promise<string> {
    const { body } = await transport.unary(METHOD, new Uint8Array());
    return new TextDecoder().decode(body);
  }

  test.each(foreignTo(language))(
    '%s is a failure that says what came, and the next call succeeds',
    async (_name, answer, errorClass, code, fragments) => {
      server.answers(answer);
      const error = await failureOf(answerTo());
      expect(error.constructor).toBe(errorClass);
      expect(error).toMatchObject({ code });
      for (const fragment of fragments) expect(error.message.toLowerCase()).toContain(fragment.toLowerCase());
      expect(error.message).toContain(server.url);
      expect(error.message).not.toMatch(/transport error|connection error|h2 protocol error/i);
      expect(error.message.length).toBeLessThan(700);
      server.answers(grpc(language, [message('an answer'), OK]));
      expect(await answerTo()).toBe('an answer');
    },
  );
});
