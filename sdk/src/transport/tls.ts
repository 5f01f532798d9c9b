import { ConfigurationError } from '../errors.js';
import { checkOptions } from '../options.js';

/** A certificate or a key: PEM as text or bytes. */
export type Pem = string | Uint8Array;

/** How a connection over TLS is made; the names and meanings are those of Node's `tls.connect`. */
export interface TlsOptions {
  /** Certificates of authorities to trust instead of the well-known ones. */
  readonly ca?: Pem | readonly Pem[] | undefined;
  /** Certificate chain that proves who we are, for servers that ask for one. */
  readonly cert?: Pem | readonly Pem[] | undefined;
  /** Private key of `cert`. */
  readonly key?: Pem | undefined;
  /** `cert` and `key` in one PKCS #12 file. */
  readonly pfx?: Uint8Array | undefined;
  /** What `key` or `pfx` is encrypted with. */
  readonly passphrase?: string | undefined;
  /** The name that the server's certificate must be for. Default: the host of `serverUrl`. */
  readonly servername?: string | undefined;
  /** False accepts any certificate, and with it anyone in between. Default: true. */
  readonly rejectUnauthorized?: boolean | undefined;
  /** Oldest version to accept, such as `TLSv1.3`. Default: Node's. */
  readonly minVersion?: string | undefined;
}

const KNOWN = ['ca', 'cert', 'key', 'pfx', 'passphrase', 'servername', 'rejectUnauthorized', 'minVersion'];
const VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

/** Throws `ConfigurationError` for options that cannot be meant. What certificates hold is found at the first call. */
export function checkTls(tls: TlsOptions): void {
  if (typeof tls !== 'object' || tls === null) {
    throw new ConfigurationError(`tls must be an object such as { ca: pem }, got ${tls}`);
  }
  checkOptions('tls', tls, KNOWN);
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    throw new ConfigurationError('tls.cert and tls.key belong together: the one is missing');
  }
  if (tls.rejectUnauthorized !== undefined && typeof tls.rejectUnauthorized !== 'boolean') {
    throw new ConfigurationError(
      `tls.rejectUnauthorized must be true or false, got ${tls.rejectUnauthorized}`,
    );
  }
  if (tls.minVersion !== undefined && !VERSIONS.includes(tls.minVersion)) {
    throw new ConfigurationError(
      `tls.minVersion must be one of ${VERSIONS.join(', ')}, got "${tls.minVersion}"`,
    );
  }
}
