import { test } from 'bun:test';
import { register } from './cases.mjs';

register((name, run) => test(name, run, 60_000));
