// Tasks that take all they can get, or won't go: the run ends, with an error that names the limit
// it met; nothing of it is left; and another team's run, begun meanwhile, does not suffer. At none a
// server that isn't root promises less, and what would harm its neighbours there is not tried.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { residentMemoryOf } from '../support/processes.ts';
import { Bombs, type End, type Limits } from './bombs.ts';
import { nameOf, type Place, places, type Site } from './places.ts';

const limits: Limits = { memoryMib: 400, diskMib: 2, processes: 64, openFiles: 512 };

const meets = (...settings: string[]): End => ({
  status: 'failure',
  says: new RegExp(`\nlimit: a run may have \\d+ .*\\(.*runs\\.(${settings.join('|')})\\)`),
});
const returns = (output: string): End => ({ status: 'success', says: new RegExp(`^"${output}"$`) });
const unbounded = returns('unbounded');

const memory = () => meets('memory_mib_max');
const processes = ({ task }: Site) =>
  task.limits.processes === 'none' ? unbounded : meets('processes_max');
// Below strict a run's folder lies on the machine's disk, and each file is bounded.
const manyFiles = (_: Site, { level }: Place) =>
  level === 'strict' ? meets('disk_mib_max') : unbounded;

/** Without a user or a group of its own, nothing tells a process that left its process group. */
const isFree = ({ task }: Site, { level, owner }: Place) =>
  level === 'none' && owner !== 'root' && task.limits.processes !== 'cgroup';

type Expectation = (site: Site, place: Place) => End | 'too much';
const kinds: Record<string, Record<string, Expectation>> = {
  'of memory': {
    heap: memory,
    buffers: memory,
    'wasm memory': memory,
    'memory of many processes': ({ task }) =>
      task.limits.memory === 'cgroup' ? meets('memory_mib_max') : unbounded,
  },
  'of processes and descriptors': {
    forks: processes,
    processes,
    // Each takes some memory and some descriptors too.
    threads: () => meets('processes_max', 'memory_mib_max', 'open_files_max'),
    descriptors: () => meets('open_files_max'),
  },
  'of files': {
    'one file': () => meets('disk_mib_max'),
    'many files': manyFiles,
    'a large file without content': () => meets('disk_mib_max'),
    'closed folders': () => returns('made'),
    'folders in each other': () => returns('made'),
  },
  'of what stays': {
    'a daemon': (site, place) => ({ ...returns('left'), staysBehind: isFree(site, place) }),
    'daemons that follow each other': (site, place) =>
      isFree(site, place) ? 'too much' : returns('left'),
    'a signal to everybody': (site, place) =>
      isFree(site, place) ? 'too much' : returns('sent|nobody is there'),
  },
};

for (const place of places) {
  test(`bombs (${nameOf(place)})`, { timeout: 180_000 }, async (t) => {
    const bombs = await Bombs.prepare(t, place, limits, '60s');
    if (bombs === undefined) return;
    const memoryBefore = residentMemoryOf(bombs.server.pid);
    for (const [kind, ends] of Object.entries(kinds)) {
      await t.test(kind, { timeout: 90_000 }, async (t) => {
        const lit = [];
        for (const [bomb, endOf] of Object.entries(ends)) {
          const end = endOf(bombs.site, place);
          if (end === 'too much') t.diagnostic(`${bomb}: not tried, it is known to do more harm`);
          else lit.push(await bombs.light(bomb, end));
        }
        await bombs.runOther();
        for (const each of lit) await bombs.mustEnd(each);
        for (const each of lit) await bombs.mustLeaveNothing(each);
        await bombs.mustLeaveNoFolder();
        await bombs.mustSpareOther();
      });
    }
    const growth = residentMemoryOf(bombs.server.pid) - memoryBefore;
    assert.ok(growth < 32, `the server grew by ${growth.toFixed()} MiB`);
  });

  test(`what never ends (${nameOf(place)})`, { timeout: 60_000 }, async (t) => {
    const bombs = await Bombs.prepare(t, place, limits, '4s');
    if (bombs === undefined) return;
    const lit = [];
    for (const bomb of [
      'an endless loop, deaf to signals',
      'an endless loop in a deaf child',
      'a flood of output',
      'a flood of errors from a child',
    ]) {
      lit.push(await bombs.light(bomb, { status: 'timeout', says: /did not end within 4000 ms/ }));
    }
    await bombs.runOther();
    for (const each of lit) await bombs.mustEnd(each, 4_000 + 5_000);
    for (const each of lit) await bombs.mustLeaveNothing(each);
    await bombs.mustLeaveNoFolder();
  });
}

// Below strict a run's folder lies on the machine's disk, and the server has to remove it.
for (const place of places.filter(({ level }) => level !== 'strict')) {
  test(`folders deeper than the server may open (${nameOf(place)})`, async (t) => {
    const fewFiles = { ...limits, openFiles: 700 };
    const bombs = await Bombs.prepare(t, place, fewFiles, '60s', { openFiles: 1_200 });
    if (bombs === undefined) return;
    const lit = await bombs.light('folders in each other', returns('made'));
    await bombs.mustEnd(lit);
    await bombs.runOther();
    await bombs.mustLeaveNothing(lit);
    await bombs.mustLeaveNoFolder();
  });
}
