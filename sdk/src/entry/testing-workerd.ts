import './workerd.js';

export * from '../testing/index.js';
export { ready } from './loaded.js';
