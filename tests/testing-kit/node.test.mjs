import { test } from 'node:test';
import { register } from './cases.mjs';

register(test, { onServer: process.env.FLOVYN_TEST_SERVER_URL !== undefined });
