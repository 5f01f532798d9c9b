import { textOf } from '../errors/base.js';
import { ConnectionError } from '../errors.js';
import type { ExchangeFacts } from './status.js';

/** The error for a request to which no answer came. */
export function unreachable({ serverUrl, protocol }: ExchangeFacts, error: unknown): ConnectionError {
  const why = reason(error);
  const text = `No server could be reached at ${serverUrl} (${why}): ${advice(why, protocol)}`;
  return new ConnectionError(text, serverUrl, error);
}

/** Runtimes wrap what happened in a general `fetch failed`: the innermost code or text says more. */
export function reason(error: unknown): string {
  let innermost = error;
  while (innermost instanceof Error && innermost.cause instanceof Error) innermost = innermost.cause;
  const code: unknown = innermost instanceof Error ? Reflect.get(innermost, 'code') : undefined;
  return typeof code === 'string' ? code : textOf(innermost);
}

function advice(why: string, protocol: ExchangeFacts['protocol']): string {
  if (why.startsWith('ERR_HTTP2') || why.endsWith('NO_APPLICATION_PROTOCOL'))
    return 'something is there, but no HTTP/2 as native gRPC needs it; choose the transport "http" for gRPC-Web over HTTP/1.1';
  if (why.startsWith('HPE_') && protocol === 'gRPC-Web')
    return 'something is there, but no HTTP/1.1; choose the transport "http2" for a server that speaks native gRPC only';
  if (/^(CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|ERR_TLS_CERT)/.test(why))
    return 'the certificate of the server is not trusted; name the authority that signed it as tls.ca';
  if (/^(ERR_SSL|EPROTO)/.test(why))
    return 'TLS could not be agreed on; check that https in serverUrl, and the option tls, are right';
  return 'check that it runs and that serverUrl is right';
}
