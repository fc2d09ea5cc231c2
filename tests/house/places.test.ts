// The project is the same on every machine: no tracked line names a place of the machine it was
// written on, or the host of a package registry.
import { test } from 'node:test';
import { checkoutOf, filesOf, here, mustBeClean, mustFind, textOf } from './checkout.ts';
import type { Finding } from './checkout.ts';

// Put together here, so that this file does not name what it looks for.
const hosts = [
  ['registry', 'npmjs', 'org'],
  ['registry', 'yarnpkg', 'com'],
  ['deb', 'debian', 'org'],
  ['security', 'debian', 'org'],
  ['pypi', 'org'],
  ['files', 'pythonhosted', 'org'],
  ['static', 'crates', 'io'],
  ['proxy', 'golang', 'org'],
].map((labels) => labels.join('.'));
const folders = ['work/', 'farm/', 'tmp/w(?![\\w-])'].map((folder) => `/${folder}`);

const registryHost = new RegExp(hosts.join('|').replaceAll('.', '\\.'), 'i');
const machinePath = new RegExp(`(?<![\\w.-])(?:${folders.join('|')})`);

export function linesNameNoPlaces(root: string): Finding[] {
  const findings: Finding[] = [];
  for (const file of filesOf(root)) {
    const text = textOf(root, file);
    if (text.includes('\0')) continue;
    for (const [index, line] of text.split('\n').entries()) {
      const host = registryHost.exec(line)?.[0];
      const place = machinePath.exec(line)?.[0];
      const find = (rule: string, instead: string) =>
        findings.push({ file, line: index + 1, rule, instead });
      if (host !== undefined) find(`names the registry ${host}`, 'name the package only');
      if (place !== undefined) find(`names the path ${place}`, 'write it from the project');
    }
  }
  return findings;
}

test('this checkout: linesNameNoPlaces', () => mustBeClean(linesNameNoPlaces(here)));

test('registry hosts and machine paths are found, in any text file', (t) => {
  const [npm] = hosts;
  const root = checkoutOf(t, {
    'runner/package-lock.json': `{\n  "resolved": "https://${npm}/zod.tgz"\n}\n`,
    'docs/a.md': `See /${'work'}/main/src.\n`,
    'src/io/a.h': `// /${'tmp'}/w/notes\n`,
    'picture.png': `\0/${'work'}/main\n`,
  });
  mustFind(linesNameNoPlaces(root), [
    'docs/a.md:1: names the path',
    'runner/package-lock.json:2: names the registry',
    'src/io/a.h:1: names the path',
  ]);
});

test('look-alikes are clean', (t) => {
  const root = checkoutOf(t, {
    'README.md': 'a/work/b, https://x.test/network/, /tmp/www, /tmp/w-1, at work/, npm\n',
  });
  mustBeClean(linesNameNoPlaces(root));
});
