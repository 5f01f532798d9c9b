import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { cacheDir, inRoot } from './paths.mjs';

// Required, not imported: its declarations would bring those of Node into the lint of every script.
const { Extractor, ExtractorConfig } = createRequire(import.meta.url)('@microsoft/api-extractor');

const QUIET = { default: { logLevel: 'none' } };

/**
 * The entries of the package that declare something of their own, by the name of their report: `sdk` for `.`, and for
 * the others their path. The one for vitest is left out: all that is in it is a name, and declarations of vitest.
 *
 * @returns {{ name: string, declarations: string }[]}
 */
export function entries() {
  const { exports } = JSON.parse(readFileSync(inRoot('sdk/package.json'), 'utf8'));
  return Object.entries(exports)
    .filter(
      ([path, target]) => target.types !== undefined && !['./inline', './testing/vitest'].includes(path),
    )
    .map(([path, { types }]) => ({
      name: path === '.' ? 'sdk' : path.slice(2).replaceAll('/', '-'),
      declarations: inRoot('sdk', types),
    }));
}

/** Where the report of an entry is kept. */
export const reportPath = (name) => inRoot('sdk/api', `${name}.api.md`);

/**
 * The declarations of an entry as its users see them, in one text and in order: what it exports, and what that needs.
 *
 * @param {{ name: string, declarations: string }} entry
 * @returns {string}
 */
export function reportOf({ name, declarations }) {
  const reportFolder = join(cacheDir, 'api');
  mkdirSync(reportFolder, { recursive: true });
  const reportFileName = `${name}.api.md`;
  const config = ExtractorConfig.prepare({
    configObject: {
      projectFolder: inRoot('sdk'),
      mainEntryPointFilePath: declarations,
      compiler: { tsconfigFilePath: inRoot('sdk/tsconfig.portable.json') },
      apiReport: {
        enabled: true,
        reportFileName,
        reportFolder,
        reportTempFolder: join(reportFolder, 'made'),
        includeForgottenExports: true,
      },
      newlineKind: 'lf',
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        extractorMessageReporting: QUIET,
        tsdocMessageReporting: QUIET,
        compilerMessageReporting: { default: { logLevel: 'error' } },
      },
    },
    packageJsonFullPath: inRoot('sdk/package.json'),
    configObjectFullPath: undefined,
  });
  const { succeeded } = Extractor.invoke(config, {
    localBuild: true,
    messageCallback: (message) => {
      // It warns of what is done here on purpose: a report that is not there yet, declarations that are not checked.
      message.handled ||= message.logLevel !== 'error';
    },
  });
  if (!succeeded) throw new Error(`the declarations of ${name} could not be read`);
  return readFileSync(join(reportFolder, 'made', reportFileName), 'utf8');
}
