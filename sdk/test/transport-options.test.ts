import { expect, test } from 'vitest';
import { ConfigurationError } from '../src/errors.js';
import { createTransport, type TransportOptions } from '../src/transport/create.js';
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
