import './node.js';

export * from './testing-file.js';
