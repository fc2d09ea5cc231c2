// The documents are true to the tree: every room has its paragraph, every link leads somewhere.
import path from 'node:path';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { checkoutOf, filesOf, here, mustBeClean, mustFind, textOf } from './checkout.ts';
import type { Finding } from './checkout.ts';
import { roomsOf } from './rooms.ts';

/** The lines of a Markdown file; those in fenced blocks are empty. */
function proseOf(text: string): string[] {
  let fence = '';
  return text.split('\n').map((line) => {
    const mark = /^\s*(```+|~~~+)/.exec(line)?.[1] ?? '';
    if (fence === '' ? mark !== '' : mark.startsWith(fence)) {
      fence = fence === '' ? mark : '';
      return '';
    }
    return fence === '' ? line : '';
  });
}

/**
 * A room's place in ARCHITECTURE.md: a heading that begins with its name in backticks, or a
 * paragraph that begins with it in bold.
 */
const roomParagraph = /^(?:#{2,6}\s+`(\w+)`|(?:[-*]\s+)?\*\*`?([a-z]+)`?\*\*)/;

export function architectureNamesTheRooms(root: string): Finding[] {
  const file = 'ARCHITECTURE.md';
  const rooms = new Set(roomsOf(root).map((room) => room.name));
  const findings: Finding[] = [];
  const named = new Set<string>();
  for (const [index, line] of proseOf(textOf(root, file)).entries()) {
    const match = roomParagraph.exec(line);
    const name = match?.[1] ?? match?.[2];
    if (name === undefined) continue;
    named.add(name);
    if (rooms.has(name)) continue;
    const rule = `${name} is no room of CMakeLists.txt`;
    findings.push({ file, line: index + 1, rule, instead: 'drop its paragraph or add room(...)' });
  }
  for (const room of rooms) {
    if (named.has(room)) continue;
    const instead = `begin a heading or a paragraph with it: "### \`${room}\`" or "**${room}**"`;
    findings.push({ file, line: 1, rule: `room ${room} has no paragraph`, instead });
  }
  return findings;
}

type Link = { file: string; line: number; target: string };

/** Every link and image of the Markdown files that does not lead to another site. */
function linksOf(root: string): Link[] {
  const links: Link[] = [];
  for (const file of filesOf(root, /\.md$/)) {
    for (const [index, line] of proseOf(textOf(root, file)).entries()) {
      const prose = line.replace(/`[^`]*`/g, '');
      const inline = [...prose.matchAll(/\]\(\s*<?([^\s)>]+)>?(?:\s+["'(][^)]*)?\)/g)];
      const reference = [...prose.matchAll(/^\s{0,3}\[[^\]]+\]:\s+<?([^\s>]+)/g)];
      for (const match of [...inline, ...reference]) {
        if (/^([a-z][a-z0-9+.-]*:|\/\/)/i.test(match[1]!)) continue;
        links.push({ file, line: index + 1, target: match[1]! });
      }
    }
  }
  return links;
}

/** The anchors that a Markdown file's headings get, as GitHub makes them. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const line of proseOf(text)) {
    const heading = /^#{1,6}\s+(.*?)\s*#*$/.exec(line)?.[1];
    if (heading === undefined) continue;
    const words = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const anchor = words.replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-');
    let unique = anchor;
    for (let count = 1; anchors.has(unique); count += 1) unique = `${anchor}-${count}`;
    anchors.add(unique);
  }
  return anchors;
}

export function linksLeadSomewhere(root: string): Finding[] {
  const findings: Finding[] = [];
  for (const { file, line, target } of linksOf(root)) {
    const [, place = '', anchor] = /^([^#?]*)[^#]*(?:#(.*))?$/.exec(target) ?? [];
    const folder = place.startsWith('/') ? '.' : path.dirname(file);
    const goal = place === '' ? file : path.join(folder, decodeURIComponent(place));
    if (goal.startsWith('..') || !existsSync(path.join(root, goal))) {
      const instead = 'mend the link or write the file';
      findings.push({ file, line, rule: `link to ${target}: there is no ${goal}`, instead });
    } else if (anchor && goal.endsWith('.md') && !anchorsOf(textOf(root, goal)).has(anchor)) {
      const rule = `link to ${target}: ${goal} has no such heading`;
      findings.push({ file, line, rule, instead: 'mend the part after #' });
    }
  }
  return findings;
}

for (const rule of [architectureNamesTheRooms, linksLeadSomewhere]) {
  test(`this checkout: ${rule.name}`, () => mustBeClean(rule(here)));
}

const cmake = 'room(base)\nroom(io USES base)\n';

test('rooms may have headings or paragraphs', (t) => {
  const fenced = '```\n### `cellar`\n```\n';
  const text = `# Rooms\n### \`base\`: facts\n**io** waits.\n${fenced}**Note** well.\n`;
  const root = checkoutOf(t, { 'CMakeLists.txt': cmake, 'ARCHITECTURE.md': text });
  mustBeClean(architectureNamesTheRooms(root));
});

test('a room without a paragraph and a paragraph without a room are found', (t) => {
  const text = 'The room io is told of here only.\n\n### `base`\n\n- **cellar** is dark.\n';
  const root = checkoutOf(t, { 'CMakeLists.txt': cmake, 'ARCHITECTURE.md': text });
  mustFind(architectureNamesTheRooms(root), [
    'ARCHITECTURE.md:5: cellar is no room of CMakeLists.txt',
    'ARCHITECTURE.md:1: room io has no paragraph',
  ]);
});

test('without ARCHITECTURE.md every room is missed', (t) => {
  mustFind(architectureNamesTheRooms(checkoutOf(t, { 'CMakeLists.txt': cmake })), [
    'ARCHITECTURE.md:1: room base has no paragraph',
    'ARCHITECTURE.md:1: room io has no paragraph',
  ]);
});

test('links that lead somewhere are clean', (t) => {
  const root = checkoutOf(t, {
    'README.md': [
      '# Two words, one `name`',
      '[guide](docs/guide.md "a title") ![picture](<docs/a%20b.png>) [up](#two-words-one-name)',
      '[part](docs/guide.md#a-part) [folder](docs) [root](/docs/guide.md)',
      '[site](https://x.test/no) [named][guide] `[not](a-link.md)`',
      '',
      '[guide]: docs/guide.md',
      '```',
      '[not](a-link.md)',
      '```',
    ].join('\n'),
    'docs/guide.md': '## A part\n[back](../README.md)\n',
    'docs/a b.png': '',
  });
  mustBeClean(linksLeadSomewhere(root));
});

test('links that lead nowhere are found', (t) => {
  const root = checkoutOf(t, {
    'README.md': '[a](gone.md)\n[b](docs/guide.md#no-part) [c](#nowhere)\n\n[d]: lost.md\n',
    'docs/guide.md': '## A part\n[back](README.md) [out](../../outside.md)\n',
  });
  mustFind(linksLeadSomewhere(root), [
    'README.md:1: link to gone.md: there is no gone.md',
    'README.md:2: link to docs/guide.md#no-part: docs/guide.md has no such heading',
    'README.md:2: link to #nowhere: README.md has no such heading',
    'README.md:4: link to lost.md: there is no lost.md',
    'docs/guide.md:2: link to README.md: there is no docs/README.md',
    'docs/guide.md:2: link to ../../outside.md: there is no ../outside.md',
  ]);
});
