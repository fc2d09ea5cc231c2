// The one dependency rule: a file includes files of its own room and of the rooms that its room
// USES, which all lie on lower floors. See ARCHITECTURE.md.
import path from 'node:path';
import { test } from 'node:test';
import { checkoutOf, filesOf, here, mustBeClean, mustFind, textOf } from './checkout.ts';
import type { Finding } from './checkout.ts';
import { floors, roomsOf } from './rooms.ts';
import { linesOf } from './source.ts';

/** CMakeLists.txt, the floors and the folders of src/ have the same rooms; each uses lower ones. */
export function roomsRestOnLowerFloors(root: string): Finding[] {
  const file = 'CMakeLists.txt';
  const rooms = roomsOf(root);
  const findings: Finding[] = [];
  const find = (line: number, rule: string, instead: string) =>
    findings.push({ file, line, rule, instead });
  for (const { name, uses, line } of rooms) {
    const floor = floors.get(name);
    if (floor === undefined) {
      find(line, `room ${name} is on no floor`, 'give it one in tests/house/rooms.ts');
      continue;
    }
    for (const used of uses) {
      const below = floors.get(used);
      if (below === undefined) find(line, `room ${name} uses ${used}, which is no room`, 'drop it');
      else if (below >= floor) {
        const rule = `room ${name} (floor ${floor}) uses ${used} (floor ${below})`;
        find(line, rule, 'use lower floors only');
      }
    }
  }
  for (const name of floors.keys()) {
    if (rooms.some((room) => room.name === name)) continue;
    find(1, `there is no line room(${name} USES ...)`, 'add it, or take the room from its floor');
  }
  for (const source of filesOf(root, /^src\//)) {
    const folder = source.split('/')[1]!;
    if (rooms.some((room) => room.name === folder)) continue;
    const rule = `src/${folder} is no room`;
    findings.push({ file: source, line: 1, rule, instead: 'move it into one' });
  }
  return findings;
}

type Include = { file: string; line: number; target: string };

/** Every `#include "..."` in src/, in order of file and line. */
function includesOf(root: string): Include[] {
  const includes: Include[] = [];
  for (const file of filesOf(root, /^src\/.*\.(h|cpp)$/)) {
    for (const [index, line] of linesOf(textOf(root, file)).entries()) {
      const match = /^\s*#\s*include\s+"([^"]+)"/.exec(line.text);
      if (match !== null) includes.push({ file, line: index + 1, target: match[1]! });
    }
  }
  return includes;
}

export function includesGoDown(root: string): Finding[] {
  const rooms = new Map(roomsOf(root).map((room) => [room.name, room]));
  const findings: Finding[] = [];
  for (const { file, line, target } of includesOf(root)) {
    const room = rooms.get(file.split('/')[1]!);
    const [lower, ...rest] = target.split('/');
    if (room === undefined || lower === room.name) continue;
    if (rest.length !== 1 || !rooms.has(lower!)) {
      const rule = `"${target}" names no file of a room`;
      findings.push({ file, line, rule, instead: 'write "room/file.h", from src/' });
    } else if (!room.uses.includes(lower!)) {
      const rule = `room ${room.name} includes "${target}" but does not use ${lower}`;
      const instead =
        (floors.get(lower!) ?? 0) < (floors.get(room.name) ?? 0)
          ? `do without, or add ${lower} to room(${room.name} USES ...)`
          : `turn the dependency round: ${lower} lies on no lower floor`;
      findings.push({ file, line, rule, instead });
    }
  }
  return findings;
}

export function includesMakeNoCycle(root: string): Finding[] {
  const edges = new Map<string, Include[]>();
  for (const include of includesOf(root)) {
    edges.set(include.file, [...(edges.get(include.file) ?? []), include]);
  }
  const findings: Finding[] = [];
  const done = new Set<string>();
  const visit = (file: string, above: string[]) => {
    if (done.has(file)) return;
    for (const { line, target } of edges.get(file) ?? []) {
      const next = `src/${target}`;
      const trail = [...above, file];
      if (trail.includes(next)) {
        const cycle = [...trail.slice(trail.indexOf(next)), next].join(' -> ');
        const instead = 'forward-declare, or move what both need into a third file';
        findings.push({ file, line, rule: `include cycle ${cycle}`, instead });
      } else {
        visit(next, trail);
      }
    }
    done.add(file);
  };
  for (const file of edges.keys()) visit(file, []);
  return findings;
}

/** A room is one flat folder, and a name typed anywhere finds one room. */
export function namesFindOneRoom(root: string): Finding[] {
  const findings: Finding[] = [];
  const owners = new Map<string, string>();
  for (const file of filesOf(root, /^src\/.*\.(h|cpp)$/)) {
    const [, room, ...rest] = file.split('/');
    if (rest.length > 1) {
      const instead = `move it to src/${room}/`;
      findings.push({ file, line: 1, rule: 'a room is one flat folder', instead });
    }
    const name = path.basename(file).replace(/(_test)?\.(h|cpp)$/, '');
    const owner = owners.get(name) ?? room!;
    owners.set(name, owner);
    if (owner === room) continue;
    const rule = `the name ${name} is in use in src/${owner}`;
    findings.push({ file, line: 1, rule, instead: 'choose another' });
  }
  return findings;
}

const rules = [roomsRestOnLowerFloors, includesGoDown, includesMakeNoCycle, namesFindOneRoom];
for (const rule of rules) {
  test(`this checkout: ${rule.name}`, () => mustBeClean(rule(here)));
}

// A whole house in miniature: each room uses all rooms on lower floors and has one header.
function miniature(changes: Record<string, string> = {}): Record<string, string> {
  const cmake = 'CMakeLists.txt';
  const files: Record<string, string> = { [cmake]: 'function(room name)\nendfunction()\n' };
  for (const [room, floor] of floors) {
    const lower = [...floors.keys()].filter((other) => floors.get(other)! < floor);
    const uses = lower.length > 0 ? ` USES ${lower.join(' ')}` : '';
    files[cmake] += `room(${room}${uses})\n`;
    files[`src/${room}/${room}_part.h`] = '#pragma once\n';
  }
  return { ...files, ...changes };
}

test('a good house is clean', (t) => {
  const root = checkoutOf(
    t,
    miniature({
      'src/task/run.h': '#pragma once\n#include <vector>\n#include "base/base_part.h"\n',
      'src/task/run.cpp': '#include "task/run.h"\n// #include "app/app_part.h"\n',
      'src/task/run_test.cpp': '#include "task/run.h"\n#include "session/session_part.h"\n',
      'src/store/migrations/0001.sql': 'CREATE TABLE t (id TEXT);\n',
    }),
  );
  for (const rule of rules) mustBeClean(rule(root));
});

test('a room line that goes up, sideways or nowhere is found', (t) => {
  const lines = miniature()['CMakeLists.txt']!;
  const root = checkoutOf(
    t,
    miniature({
      'CMakeLists.txt': lines
        .replace('room(cdp USES base io ', 'room(cdp\n     USES base http task cellar ')
        .replace(/room\(app .*\n/, '# room(app USES api)\nroom(attic USES base)\n'),
    }),
  );
  mustFind(roomsRestOnLowerFloors(root), [
    'CMakeLists.txt:7: room cdp (floor 3) uses http (floor 3)',
    'CMakeLists.txt:7: room cdp (floor 3) uses task (floor 7)',
    'CMakeLists.txt:7: room cdp uses cellar, which is no room',
    'CMakeLists.txt:18: room attic is on no floor',
    'CMakeLists.txt:1: there is no line room(app USES ...)',
    'src/app/app_part.h:1: src/app is no room',
  ]);
});

test('an empty CMakeLists.txt does not pass', (t) => {
  mustFind(
    roomsRestOnLowerFloors(checkoutOf(t, { 'CMakeLists.txt': '' })),
    [...floors.keys()].map((name) => `CMakeLists.txt:1: there is no line room(${name}`),
  );
});

test('an include that goes up, sideways or to no room is found', (t) => {
  const root = checkoutOf(
    t,
    miniature({
      'src/http/server.cpp': [
        '#include "http/http_part.h"',
        '#include "cdp/cdp_part.h"',
        '/* why */ #include "io/io_part.h"',
        '#include "api/api_part.h"',
        '#include "server.h"',
        '#include "../base/base_part.h"',
      ].join('\n'),
    }),
  );
  mustFind(includesGoDown(root), [
    'src/http/server.cpp:2: room http includes "cdp/cdp_part.h" but does not use cdp',
    'src/http/server.cpp:4: room http includes "api/api_part.h" but does not use api',
    'src/http/server.cpp:5: "server.h" names no file of a room',
    'src/http/server.cpp:6: "../base/base_part.h" names no file of a room',
  ]);
});

test('a lower room that the USES line leaves out is found', (t) => {
  const lines = miniature()['CMakeLists.txt']!;
  const root = checkoutOf(
    t,
    miniature({
      'CMakeLists.txt': lines.replace('room(cdp USES base io ', 'room(cdp USES base '),
      'src/cdp/party.h': '#include "io/io_part.h"\n',
    }),
  );
  mustFind(includesGoDown(root), ['src/cdp/party.h:1: room cdp includes "io/io_part.h"']);
});

test('a cycle between files is found once, with its path', (t) => {
  const root = checkoutOf(
    t,
    miniature({
      'src/io/scope.h': '#include "io/event.h"\n',
      'src/io/event.h': '\n#include "io/clock.h"\n',
      'src/io/clock.h': '#include "io/scope.h"\n',
      'src/io/warm.h': '#include "io/event.h"\n',
    }),
  );
  const cycle = 'src/io/clock.h -> src/io/scope.h -> src/io/event.h -> src/io/clock.h';
  mustFind(includesMakeNoCycle(root), [`src/io/event.h:2: include cycle ${cycle}`]);
});

test('a name in two rooms and a folder in a room are found', (t) => {
  const root = checkoutOf(
    t,
    miniature({
      'src/api/session_part.cpp': '',
      'src/io/deep/pipe.h': '',
      'src/task/io_part_test.cpp': '',
    }),
  );
  mustFind(namesFindOneRoom(root), [
    'src/io/deep/pipe.h:1: a room is one flat folder',
    'src/session/session_part.h:1: the name session_part is in use in src/api',
    'src/task/io_part_test.cpp:1: the name io_part is in use in src/io',
  ]);
});
