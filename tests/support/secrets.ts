// Where a secret may have come to be, and how it is looked for there.
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Process } from './processes.ts';

/** Texts in which a secret is looked for, each under the name of its place. */
export type Places = Record<string, string>;

/**
 * How a secret of ASCII letters and digits may be written: as it is, which is also how it stands in
 * a URL or in JSON; in hexadecimal; and in base64, where three bytes become four characters, so it
 * counts how much stands before the secret.
 */
export function formsOf(secret: string): string[] {
  const encoded = [0, 1, 2].map((skipped) => {
    const bytes = Buffer.from(secret).subarray(skipped);
    return bytes.subarray(0, bytes.length - (bytes.length % 3)).toString('base64');
  });
  return [secret, Buffer.from(secret).toString('hex'), ...encoded];
}

/** "PLACE has SECRET'S NAME", for each secret that is in a place in any form. */
export function foundIn(places: Places, secrets: Record<string, string>): string[] {
  return Object.entries(secrets).flatMap(([name, secret]) => {
    const forms = formsOf(secret);
    const holds = ([, text]: [string, string]) => forms.some((form) => text.includes(form));
    return Object.entries(places)
      .filter(holds)
      .map(([place]) => `${place} has ${name}`);
  });
}

/** The bytes of every file in the folder and below it. */
export function filesBelow(folder: string): Places {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
  return Object.fromEntries(files.map((file) => [path.relative(folder, file), bytesOf(file)]));
}

/** What the kernel tells anybody of these processes: their words, and what they began with. */
export function wordsOf(processes: Process[]): Places {
  const named = processes.flatMap(({ pid }) =>
    ['cmdline', 'environ'].map((each) => [`${each} of ${pid}`, bytesOf(`/proc/${pid}/${each}`)]),
  );
  return Object.fromEntries(named);
}

/** Every row of every table, read from a copy, so that nobody is in the server's way. */
export function dumpOf(folder: string): string {
  const copies = mkdtempSync(path.join(tmpdir(), 'capstan-dump-'));
  try {
    const files = readdirSync(folder).filter((name) => name.startsWith('capstan.db'));
    for (const name of files) copyFileSync(path.join(folder, name), path.join(copies, name));
    const database = new DatabaseSync(path.join(copies, 'capstan.db'));
    const tables = database.prepare("select name from sqlite_master where type = 'table'").all();
    const rows = tables.map(({ name }) => database.prepare(`select * from "${name}"`).all());
    database.close();
    return JSON.stringify(rows);
  } finally {
    rmSync(copies, { recursive: true });
  }
}

/** Empty once the file, or the process that it tells of, has gone. */
function bytesOf(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
