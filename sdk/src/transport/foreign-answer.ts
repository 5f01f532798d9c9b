import { ConnectionError, type FlovynError, GrpcCode } from '../errors.js';
import type { CarriedAnswer, Protocol } from './carrier.js';
import type { Exchange } from './exchange.js';
import { statusError } from './status.js';

/** How much of a foreign answer is shown. */
const EXCERPT_CHARS = 120;

/** Enough bytes for the excerpt, whatever the characters are. */
const EXCERPT_BYTES = EXCERPT_CHARS * 4;

/** What an HTTP status without a gRPC status stands for, as the gRPC specification has it; 413 is ours. */
const CODES = new Map<number, number>([
  [400, GrpcCode.INTERNAL],
  [401, GrpcCode.UNAUTHENTICATED],
  [403, GrpcCode.PERMISSION_DENIED],
  [404, GrpcCode.UNIMPLEMENTED],
  [413, GrpcCode.RESOURCE_EXHAUSTED],
  [429, GrpcCode.UNAVAILABLE],
  [502, GrpcCode.UNAVAILABLE],
  [503, GrpcCode.UNAVAILABLE],
  [504, GrpcCode.UNAVAILABLE],
]);

const CONTENT_TYPES: Readonly<Record<Protocol, RegExp>> = {
  'gRPC-Web': /^application\/grpc-web(\+proto)?\s*(;|$)/i,
  gRPC: /^application\/grpc(\+proto)?\s*(;|$)/i,
};

/** Whether a content type is that of an answer that can be read here. */
export function isOfProtocol(protocol: Protocol, contentType: string): boolean {
  return CONTENT_TYPES[protocol].test(contentType.trim());
}

/** The error for an answer of something that is no Flovyn server, or of a proxy before one. */
export async function foreignAnswer(exchange: Exchange, answer: CarriedAnswer): Promise<FlovynError> {
  const { method, serverUrl, protocol } = exchange.facts;
  const contentType = answer.headers['content-type'] ?? 'no content type';
  const got = `HTTP ${answer.status} (${contentType})${await excerpt(exchange, answer)}`;
  const text =
    `${method} got no answer of a Flovyn server: expected ${protocol} from ${serverUrl}, got ${got}. ` +
    advice(protocol, answer);
  return statusError(CODES.get(answer.status) ?? GrpcCode.UNKNOWN, text, exchange.facts);
}

function advice(protocol: Protocol, { status, headers }: CarriedAnswer): string {
  const contentType = headers['content-type'] ?? '';
  if (protocol === 'gRPC-Web' && isOfProtocol('gRPC', contentType))
    return 'That server speaks gRPC but no gRPC-Web: turn gRPC-Web on, put a proxy before it that translates, or in Node choose the transport "http2"';
  if (protocol === 'gRPC' && isOfProtocol('gRPC-Web', contentType))
    return 'That server speaks gRPC-Web: choose the transport "http"';
  if (status >= 300 && status < 400 && headers['location'] !== undefined)
    return `It says to go to ${headers['location']}: if that is the server, use its address as serverUrl`;
  if (status === 401 || status === 403) return 'A proxy before the server refused the request';
  if (status === 413)
    return 'A proxy before the server takes no request of that size: send less, or raise its limit';
  if (CODES.get(status) === GrpcCode.UNAVAILABLE)
    return 'The server behind that address does not serve now: try later';
  if (status >= 500) return 'The logs of the server, or of a proxy before it, should say why';
  return 'Check that serverUrl is the address of a Flovyn server, not that of a web page or another service';
}

/** The beginning of a body, on one line, in quotes. Of a body that breaks off, what came. */
async function excerpt(exchange: Exchange, answer: CarriedAnswer): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  try {
    while (bytes < EXCERPT_BYTES) {
      const chunk = await exchange.read(answer);
      if (chunk === undefined) break;
      text += decoder.decode(chunk.subarray(0, EXCERPT_BYTES), { stream: true });
      bytes += chunk.length;
    }
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
  }
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  if (line === '') return ' without a body';
  return ` "${line.length > EXCERPT_CHARS ? `${line.slice(0, EXCERPT_CHARS)}...` : line}"`;
}
