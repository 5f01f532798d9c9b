import { expect, test } from 'vitest';
import { saga } from '../src/workflow/saga.js';
import { failureOf } from './support/failure.js';

test('what was done is undone once, one after the other, the last first', async () => {
  const undo = saga();
  const undone: string[] = [];
  for (const step of ['reserve', 'charge', 'ship']) {
    undo.add(async () => {
      undone.push(`begin ${step}`);
      await null;
      undone.push(`end ${step}`);
    });
  }
  await undo.compensate();
  await undo.compensate();
  expect(undone).toEqual([
    'begin ship',
    'end ship',
    'begin charge',
    'end charge',
    'begin reserve',
    'end reserve',
  ]);
});

test('one that fails does not keep the others from being called', async () => {
  const undo = saga();
  const undone: string[] = [];
  const failing = (text: string) => () => Promise.reject(new Error(text));
  undo.add(() => undone.push('first'));
  undo.add(failing('no refund'));
  undo.add(() => undone.push('third'));
  expect((await failureOf(undo.compensate())).message).toBe('no refund');
  expect(undone).toEqual(['third', 'first']);

  undo.add(failing('one'));
  undo.add(failing('two'));
  const both = (await failureOf(undo.compensate())) as AggregateError;
  expect(both.message).toBe('2 compensations failed');
  expect(both.errors.map(String)).toEqual(['Error: two', 'Error: one']);
});
