import { ConfigurationError } from '../errors.js';
import type { Protocol } from './carrier.js';
import type { CallOptions } from './transport.js';

/** What the requests and answers of every network transport are made with. */
export interface RequestOptions {
  /** Address of the server: `http://localhost:9090`; a path is kept and comes before that of the method. */
  readonly serverUrl: string;
  /** The key sent as `authorization: Bearer ..`, or what gives it for each call. Default: none is sent. */
  readonly token?: string | (() => string | undefined | Promise<string | undefined>) | undefined;
  /** More headers for every request, for proxies in between. Those of gRPC and of HTTP itself cannot be replaced. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Largest message accepted in an answer, from 1,024 bytes up. Default: 64 MiB. */
  readonly maxMessageBytes?: number | undefined;
}

const DEFAULT_MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

/** Headers that a caller cannot set: they are what makes the request gRPC, or belong to the connection. */
const OWN_HEADERS =
  'content-type x-grpc-web grpc-timeout flovyn-ext flovyn-claim te connection content-length expect keep-alive proxy-connection transfer-encoding upgrade'.split(
    ' ',
  );

/** `grpc-timeout` has at most eight digits. */
const LARGEST_TIMEOUT = 99_999_999;

/** Throws `ConfigurationError` for an option that cannot work; gives the address without a slash at its end. */
export function checkRequestOptions(options: RequestOptions): string {
  const serverUrl = parseServerUrl(options.serverUrl);
  if (options.headers !== undefined) checkHeaders(options.headers);
  if (typeof options.token === 'string') checkToken(options.token);
  parseMaxMessageBytes(options.maxMessageBytes);
  return serverUrl;
}

/** The address without a slash at its end. Throws `ConfigurationError` for what cannot be the address of a server. */
export function parseServerUrl(serverUrl: string, option: string = 'serverUrl'): string {
  const url = tryUrl(serverUrl);
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new ConfigurationError(
      `${option} must be like http://localhost:9090 or https://example.com, got "${serverUrl}"`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new ConfigurationError(
      `${option} must not hold a user name or password: pass the key as apiKey or workerToken`,
    );
  }
  if (url.search !== '' || url.hash !== '') {
    throw new ConfigurationError(`${option} must end with its path, without "?" and "#", got "${serverUrl}"`);
  }
  return (url.origin + url.pathname).replace(/\/+$/, '');
}

function tryUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

/** The limit to use. Throws `ConfigurationError` for one that is none. */
export function parseMaxMessageBytes(maxMessageBytes: number = DEFAULT_MAX_MESSAGE_BYTES): number {
  const isLimit = Number.isInteger(maxMessageBytes) && maxMessageBytes >= 1024 && maxMessageBytes < 2 ** 32;
  if (isLimit) return maxMessageBytes;
  throw new ConfigurationError(
    `maxMessageBytes must be a whole number from 1024 to 2 ** 32 - 1, got ${maxMessageBytes}`,
  );
}

/** Throws `ConfigurationError` unless every header the caller gave can be sent. */
function checkHeaders(headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    if (OWN_HEADERS.includes(name.toLowerCase())) {
      throw new ConfigurationError(`The header "${name}" cannot be set: the transport needs its own`);
    }
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name))
      throw new ConfigurationError(`"${name}" cannot be the name of a header`);
    checkValue(`The header "${name}"`, value);
  }
}

/** Throws `ConfigurationError` unless `token` can be sent in a header; the text does not show it. */
export function checkToken(token: string): void {
  if (token === '') throw new ConfigurationError('The key is empty: check apiKey and workerToken');
  checkValue('The key', token);
}

function checkValue(what: string, value: string): void {
  if (!/^[\t\x20-\x7e]*$/.test(value)) {
    throw new ConfigurationError(
      `${what} holds a character that no HTTP header can carry, such as a line break`,
    );
  }
}

/** The headers of one request. */
export function requestHeaders(
  protocol: Protocol,
  options: Pick<RequestOptions, 'headers'>,
  token: string | undefined,
  call: CallOptions,
): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) headers[name.toLowerCase()] = value;
  Object.assign(headers, call.metadata);
  if (protocol === 'gRPC') {
    headers['content-type'] = 'application/grpc+proto';
    headers['te'] = 'trailers';
  } else {
    headers['content-type'] = 'application/grpc-web+proto';
    headers['x-grpc-web'] = '1';
  }
  if (call.extensions !== false) headers['flovyn-ext'] = '1';
  if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
  if (call.deadlineMs !== undefined && call.deadlineMs !== Number.POSITIVE_INFINITY) {
    headers['grpc-timeout'] = timeoutText(call.deadlineMs);
  }
  return headers;
}

function timeoutText(deadlineMs: number): string {
  const ms = Math.ceil(deadlineMs);
  if (ms <= LARGEST_TIMEOUT) return `${ms}m`;
  return `${Math.min(Math.ceil(ms / 1000), LARGEST_TIMEOUT)}S`;
}
