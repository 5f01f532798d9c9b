import { afterEach, expect, test, vi } from 'vitest';
import { atLevel, consoleLogger, type Logger, type LogLevel, silentLogger } from '../src/logger.js';

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

afterEach(() => {
  vi.restoreAllMocks();
});

function recorder(): { logger: Logger; lines: unknown[][] } {
  const lines: unknown[][] = [];
  const write =
    (level: string) =>
    (...args: unknown[]): void =>
      void lines.push([level, ...args]);
  return {
    logger: { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') },
    lines,
  };
}

function logAll(logger: Logger): void {
  for (const level of LEVELS) logger[level](`a ${level}`, 1);
}

test.each<[LogLevel, string[]]>([
  ['debug', ['debug', 'info', 'warn', 'error']],
  ['info', ['info', 'warn', 'error']],
  ['warn', ['warn', 'error']],
  ['error', ['error']],
  ['silent', []],
])('at level %s what is at it or above is written', (level, written) => {
  const { logger, lines } = recorder();
  logAll(atLevel(level, logger));
  expect(lines).toEqual(written.map((name) => [name, `a ${name}`, 1]));
});

test('the console logger writes warnings and errors, with a mark, unless told otherwise', () => {
  const spies = LEVELS.map((level) => vi.spyOn(console, level).mockImplementation(() => {}));
  const calls = (): unknown[][] => spies.flatMap((spy) => spy.mock.calls);
  logAll(consoleLogger());
  expect(calls()).toEqual([
    ['[flovyn] a warn', 1],
    ['[flovyn] a error', 1],
  ]);
  logAll(consoleLogger('debug'));
  expect(calls()).toHaveLength(6);
  logAll(silentLogger);
  expect(calls()).toHaveLength(6);
});
