import type { ConnectionOptions, SecureContextOptions } from 'node:tls';
import { ConfigurationError } from '../errors.js';
import type { TlsOptions } from '../transport/tls.js';

/** What Node takes; the certificates are read here, once for all connections. Throws `ConfigurationError`. */
export async function connectionOptions(tls: TlsOptions | undefined): Promise<ConnectionOptions> {
  if (tls === undefined) return {};
  const { createSecureContext } = await import('node:tls');
  const { servername, rejectUnauthorized, ...context } = tls;
  try {
    return {
      secureContext: createSecureContext(context as SecureContextOptions),
      ...(servername !== undefined && { servername }),
      ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigurationError(`tls: Node cannot read a certificate or key of it: ${why}`, error);
  }
}
