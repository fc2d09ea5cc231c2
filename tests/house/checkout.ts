// What every rule of the house needs: the files of a checkout, findings that say where, what and
// how to mend, and small checkouts made to prove that a rule can fail.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';

export type Finding = { file: string; line: number; rule: string; instead: string };

/** A rule looks at the checkout at `root` and returns what breaks it, in the order of the files. */
export type Rule = (root: string) => Finding[];

/** The checkout that this file is part of. */
export const here = path.resolve(import.meta.dirname, '../..');

/** The files that Git tracks or would add, relative to `root` and sorted. */
export function filesOf(root: string, matching = /(?:)/): string[] {
  const listing = execFileSync(
    'git',
    ['-C', root, 'ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  );
  const names = [...new Set(listing.split('\0'))].filter((name) => name !== '');
  return names.filter((name) => matching.test(name) && existsSync(path.join(root, name))).sort();
}

/** A file's text; empty when there is no such file. */
export function textOf(root: string, file: string): string {
  const place = path.join(root, file);
  return existsSync(place) ? readFileSync(place, 'utf8') : '';
}

/** Fails with "file:line: rule, do this instead" for each finding. */
export function mustBeClean(findings: Finding[]): void {
  if (findings.length === 0) return;
  const lines = findings.map((each) => `${each.file}:${each.line}: ${each.rule}, ${each.instead}`);
  assert.fail(`\n${lines.join('\n')}\n`);
}

/** Fails unless these are the findings, each given as "file:line: " and its rule's first words. */
export function mustFind(findings: Finding[], expected: string[]): void {
  const found = findings.map(({ file, line, rule }) => `${file}:${line}: ${rule}`);
  const story = `expected\n  ${expected.join('\n  ')}\nfound\n  ${found.join('\n  ')}`;
  assert.equal(found.length, expected.length, story);
  for (const [index, words] of expected.entries()) {
    assert.ok(found[index]?.startsWith(words), story);
  }
}

/** A checkout of these files in a temporary folder, which goes when the test ends. */
export function checkoutOf(t: TestContext, files: Record<string, string>): string {
  const root = mkdtempSync(path.join(tmpdir(), 'house-'));
  t.after(() => rmSync(root, { recursive: true }));
  execFileSync('git', ['init', '--quiet', root]);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    writeFileSync(path.join(root, name), text);
  }
  return root;
}
