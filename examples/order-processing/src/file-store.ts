import { appendFile, readFile } from 'node:fs/promises';

import type { LedgerLine, LedgerStore } from './ledger.js';

/** Lines in a file, one JSON object each, so that several worker processes share them and none is lost with one. */
export class FileStore implements LedgerStore {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  async append(line: LedgerLine): Promise<void> {
    await appendFile(this.#file, `${JSON.stringify(line)}\n`);
  }

  async lines(): Promise<readonly LedgerLine[]> {
    const text = await readFile(this.#file, 'utf8').catch(() => '');
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as LedgerLine);
  }
}
