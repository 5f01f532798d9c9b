import { ConfigurationError } from '../errors.js';
import { environmentVariable } from '../runtime/environment-variables.js';
import { checkHarnessConfig, type HarnessConfig } from './options.js';

/** Under this name vitest provides tests with the server that its global setup has started. */
export const PROVIDED_AS = 'harnessConfig';

const NIL_UUID = '00000000-0000-0000-0000-000000000000';

/**
 * The server that tests were told to use from outside: by the environment variables `FLOVYN_TEST_SERVER_URL` (and
 * `FLOVYN_TEST_HTTP_URL`, `FLOVYN_TEST_ORG_ID`, `FLOVYN_TEST_ORG_SLUG`, `FLOVYN_TEST_API_KEY`,
 * `FLOVYN_TEST_WORKER_TOKEN`), or by what the global setup of vitest provides as `harnessConfig`.
 */
export function configuredServer(): HarnessConfig | undefined {
  return fromVariables() ?? fromVitest();
}

function fromVariables(): HarnessConfig | undefined {
  const url = environmentVariable('FLOVYN_TEST_SERVER_URL');
  if (url === undefined) return undefined;
  const [grpcHost, grpcPort] = hostAndPort('FLOVYN_TEST_SERVER_URL', url);
  const [httpHost, httpPort] = hostAndPort(
    'FLOVYN_TEST_HTTP_URL',
    environmentVariable('FLOVYN_TEST_HTTP_URL') ?? url,
  );
  const orgId = environmentVariable('FLOVYN_TEST_ORG_ID') ?? NIL_UUID;
  return {
    grpcHost,
    grpcPort,
    httpHost,
    httpPort,
    orgId,
    orgSlug: environmentVariable('FLOVYN_TEST_ORG_SLUG') ?? orgId,
    apiKey: environmentVariable('FLOVYN_TEST_API_KEY') ?? '',
    workerToken: environmentVariable('FLOVYN_TEST_WORKER_TOKEN') ?? '',
  };
}

function hostAndPort(variable: string, url: string): [host: string, port: number] {
  const found = /^http:\/\/(?<host>[^/:]+|\[[^\]]+\]):(?<port>\d+)\/?$/.exec(url)?.groups;
  if (found === undefined)
    throw new ConfigurationError(`${variable}: expected http://<host>:<port>, got "${url}"`);
  return [found['host'] ?? '', Number(found['port'])];
}

/** What `inject('harnessConfig')` gives, read where vitest keeps it: who tests with something else has no vitest. */
function fromVitest(): HarnessConfig | undefined {
  const worker: unknown = Reflect.get(globalThis, '__vitest_worker__');
  const { providedContext } = (worker ?? {}) as { providedContext?: Record<string, HarnessConfig> };
  const config = providedContext?.[PROVIDED_AS];
  if (config !== undefined) checkHarnessConfig(`vitest's inject('${PROVIDED_AS}')`, config);
  return config;
}
