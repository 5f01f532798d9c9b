import './file.js';
import { startServerProcess } from '../node/server-process.js';
import { installStartServer } from '../testing/test-harness.js';

installStartServer(startServerProcess);

export * from '../testing/index.js';
export { ready } from './loaded.js';
