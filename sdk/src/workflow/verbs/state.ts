import { clearAllState, clearState, getState, setState, stateKeys } from '../../core.js';
import { checkText } from '../../options.js';
import type { ContextParts } from '../context-parts.js';

export function getValue<T>({ turn, serializer }: ContextParts, key: string): T | null {
  return turn.do('ctx.get', (id) => {
    checkText('ctx.get, key', key);
    const payload = getState(id, key);
    return payload === undefined ? null : serializer.deserialize<T>(payload);
  });
}

export function setValue({ turn, serializer }: ContextParts, key: string, value: unknown): void {
  turn.do('ctx.set', (id) => {
    checkText('ctx.set, key', key);
    setState(id, key, serializer.serialize(value));
  });
}

export function clearValue({ turn }: ContextParts, key: string): void {
  turn.do('ctx.clear', (id) => {
    checkText('ctx.clear, key', key);
    clearState(id, key);
  });
}

export function clearAllValues({ turn }: ContextParts): void {
  turn.do('ctx.clearAll', clearAllState);
}

export function valueKeys({ turn }: ContextParts): string[] {
  return turn.do('ctx.stateKeys', stateKeys);
}
