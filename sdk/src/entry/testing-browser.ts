export * from '../testing/index.js';
export { ready } from './browser.js';
