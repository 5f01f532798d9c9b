import { nodeCarriers } from '../node/carriers.js';
import { installNodeCarriers } from '../transport/create.js';

installNodeCarriers(nodeCarriers);

export * from './file.js';
