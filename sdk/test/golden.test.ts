import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import './support/core.js';
import { type Golden, Mismatch, runGolden } from './support/golden.js';

const folder = new URL('../../tests/histories/', import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
// White space between tokens is not compared.
const histories = new Map(
  names.map((name) => [name, JSON.stringify(JSON.parse(readFileSync(new URL(name, folder), 'utf8')))]),
);

test('no golden history is missing', () => expect(names.length).toBeGreaterThanOrEqual(140));

test.each(names)('%s', (name) => runGolden(JSON.parse(histories.get(name) ?? '') as Golden));

/** A comparison that never fails proves nothing: what a file expects, and what is written in its place. */
const changes = [
  ['"type":"SCHEDULE_TASK","kind":"c', '"type":"SCHEDULE_TASK","kind":"d'],
  ['"type":"START_TIMER","timerId":"timer-0"', '"type":"START_TIMER","timerId":"timer-7"'],
  ['"type":"RECORD_OPERATION","operationName":"', '"type":"RECORD_OPERATION","operationName":"another '],
  ['"type":"COMPLETE_WORKFLOW","output":', '"type":"COMPLETE_WORKFLOW","more":1,"output":'],
  ['"status":"SUSPENDED"', '"status":"COMPLETED"'],
  ['"status":"COMPLETED"', '"status":"FAILED"'],
  ['{"resolve":[1,', '{"resolve":[9,'],
  ['{"reject":[1,{"code":"', '{"reject":[1,{"code":"OTHER_'],
  ['"violation":{"eventSequence":', '"violation":{"eventSequence":1'],
  ['"message":"', '"message":"another '],
  ['"commands":[{"type":', '"commands":[{"type":"CLEAR_STATE","key":"more"},{"type":'],
  ['"commands":[]', '"commands":[{"type":"CLEAR_STATE","key":"more"}]'],
] as const;

test('one changed expectation fails', () => {
  let changed = 0;
  for (const [name, text] of histories) {
    const turns = text.indexOf('"turns":');
    for (const [place, other] of changes) {
      const at = text.indexOf(place, turns);
      if (at < 0) continue;
      const altered = text.slice(0, at) + other + text.slice(at + place.length);
      expect(() => runGolden(JSON.parse(altered) as Golden), `${name}: ${place}`).toThrow(Mismatch);
      changed += 1;
    }
  }
  expect(changed).toBeGreaterThan(200);
});

test('something left over fails', () => {
  const { turns, ...rest } = JSON.parse(histories.get('timer-fired.json') ?? '') as Golden;
  expect(() => runGolden({ ...rest, turns: turns.slice(0, -1) })).toThrow(
    /job:\nexpected none\n +got \{"resolve"/,
  );
});
