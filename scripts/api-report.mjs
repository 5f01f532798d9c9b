import { existsSync, readFileSync, writeFileSync } from 'node:fs';

import { entries, reportOf, reportPath } from './lib/api-reports.mjs';
import { green, red } from './lib/paint.mjs';
import { tallyLine } from './lib/parse.mjs';
import { ensureBuilt } from './lib/prepare.mjs';
import { main } from './lib/run.mjs';

/**
 * Compares the public API with the reports in `sdk/api`, so that no change of it goes unseen; `--write` writes them.
 * It also refuses declarations without a docstring, and `any` outside of the places where programs need it.
 */
const ANY = [
  // What comes back, and goes in, is between the program and its handlers.
  /^(export )?type (QueryHandler|SignalHandler) = /,
  /^ {4}query<T = any>\(name: string, args\?: any/,
  /^ {4}signal\(name: string, payload\?: any/,
  /^ {4}streamData\(data: any\)/,
];

await main(async () => {
  await ensureBuilt();
  const count = { passed: 0, failed: 0, skipped: 0 };
  for (const entry of entries()) {
    const report = reportOf(entry);
    if (process.argv.includes('--write')) writeFileSync(reportPath(entry.name), report);
    const problems = [...differences(entry.name, report), ...undocumented(report), ...loose(report)];
    for (const problem of problems) console.log(`${red('failed')} ${entry.name}: ${problem}`);
    if (problems.length === 0) console.log(`${entry.name}: ${green('ok')}`);
    count[problems.length === 0 ? 'passed' : 'failed'] += 1;
  }
  console.log(tallyLine(count));
  if (count.failed > 0) process.exitCode = 1;
});

/** Lines that one has and the other has not. */
function differences(name, report) {
  const path = reportPath(name);
  const [before, now] = [existsSync(path) ? readFileSync(path, 'utf8') : '', report].map((text) =>
    text.split('\n'),
  );
  const lines = [
    ...before.filter((line) => !now.includes(line)).map((line) => `- ${line}`),
    ...now.filter((line) => !before.includes(line)).map((line) => `+ ${line}`),
  ];
  if (before.join('\n') === report) return [];
  return [
    `the API is not as sdk/api says; if that is meant: node scripts/api-report.mjs --write\n${lines.join('\n')}`,
  ];
}

/**
 * Exported declarations, and members of exported interfaces, that say nothing. Classes that implement an interface
 * need not repeat what it says.
 */
function undocumented(report) {
  const problems = [];
  for (const [, declaration, body] of report.matchAll(/^(export [^\n]*)\n(.*?)(?=^\/\/ @|^```)/gms)) {
    if (!declaration.startsWith('export interface ')) continue;
    for (const [, member] of body.matchAll(/^ {4}\/\/ \(undocumented\)\n(.*)$/gm))
      problems.push(`no docstring: ${declaration} ${member.trim()}`);
  }
  for (const [, declaration] of report.matchAll(/^\/\/ @public \(undocumented\)\n(export .*)$/gm))
    problems.push(`no docstring: ${declaration}`);
  return problems;
}

function loose(report) {
  return report
    .split('\n')
    .filter(
      (line) => /\bany\b/.test(line) && !line.startsWith('//') && !ANY.some((place) => place.test(line)),
    )
    .map((line) => `any: ${line.trim()}`);
}
