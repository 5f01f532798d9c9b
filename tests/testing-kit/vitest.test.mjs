import { test } from 'vitest';
import { register } from './cases.mjs';

register((name, run) => test(name, run, 60_000));
