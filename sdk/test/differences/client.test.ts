import { callOptions, client, clientHandles, clientOptions } from './client.js';
import { provesDifferences } from './difference.js';

provesDifferences({ ...client, ...clientHandles, ...callOptions, ...clientOptions });
