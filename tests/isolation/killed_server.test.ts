// The server is killed in the middle of its work, again and again: nothing of its cages outlives
// it, and the next start on the same data leaves a clean machine and goes on.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { eventually } from '../support/eventually.ts';
import { type Process, processesThatName } from '../support/processes.ts';
import { outputOf } from '../support/tasks.ts';
import { Load } from './load.ts';
import { nameOf, type Place, places, type Site, startAt } from './places.ts';
import { type Found, mountedPlaces, tellFound, Traces } from './traces.ts';

const kills: Record<string, number> = {
  'strict, as root': 11,
  'strict, as an ordinary user': 7,
  'standard, as root': 7,
  'standard, as an ordinary user': 5,
};
const prctl = 157;
const setChildSubreaper = 36;
const earliestMs = 50;
const latestMs = 1_500;
const leftLimitMs = 2_000;
const settings = { runs: { warm: 2, max_running: 8 }, sessions: { max: 6 } };

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

/** Even numbers between 0 and 1, the same for the same seed. */
function chanceOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

for (const [index, place] of places.entries()) {
  const times = kills[nameOf(place)];
  if (times === undefined) continue; // at none nothing is promised

  test(`killed ${times} times under load (${nameOf(place)})`, { timeout: 240_000 }, async (t) => {
    const mounted = mountedPlaces();
    const site = await startAt(t, place, settings);
    if (site === undefined) return;
    t.diagnostic(`SEED=${seed}`);
    const chance = chanceOf(seed + index);
    const load = await Load.prepare(site.server, `killed-${process.pid}-${index}-`);
    const met = new Set<string>();
    for (let count = 1; count <= times; ++count) {
      const afterMs = Math.round(earliestMs + chance() * (latestMs - earliestMs));
      const moment = `kill ${count}, ${afterMs} ms after the load`;
      load.begin(count);
      // Half of them strike at what begins, half at what is under way.
      if (count % 2 === 0) await load.isUnderWay();
      await pause(afterMs);
      const traces = await killAndStart(place, site, load, moment);
      for (const name of namesOf(traces.processes)) met.add(name);
      assert.deepEqual(mountedPlaces(), mounted, `${moment}: what is mounted`);
    }
    t.diagnostic(`met ${[...met].join(', ')}`);
    assert.ok(met.has('a run') && met.has('a browser'), 'kills met runs and browsers');
  });

  test(`killed while daemons live (${nameOf(place)})`, { timeout: 90_000 }, async (t) => {
    const site = await startAt(t, place, settings);
    if (site === undefined) return;
    const load = await Load.prepare(site.server, `daemons-${process.pid}-${index}-`);
    t.after(() => processesThatName(load.mark).forEach(({ pid }) => process.kill(pid, 'SIGKILL')));
    await load.leaveDaemons();
    await killAndStart(place, site, load, 'the kill');
  });
}

// Whoever inherits the orphans of a server may never wait for them: the first process of many a
// container does not. So the tests above run once more below a process that is like that.
test('killed where nobody waits for the dead', { timeout: 300_000 }, async (t) => {
  const inherit = `syscall(${prctl}, ${setChildSubreaper}, 1, 0, 0, 0) == 0 or die $!; exec @ARGV`;
  const again = ['--test', '--test-name-pattern', 'killed while daemons live', import.meta.filename];
  const env = { ...process.env };
  delete env['NODE_TEST_CONTEXT']; // else the inner tests report to the outer runner
  const words = ['-e', inherit, process.execPath, ...again];
  const { stdout } = await promisify(execFile)('perl', words, { env }).catch((failure) =>
    assert.fail(`${failure.message}\n${failure.stdout}`),
  );
  const [, passed] = /^. pass (\d+)$/m.exec(stdout) ?? [];
  t.diagnostic(`${passed} passed`);
  assert.ok(Number(passed) > 0, stdout);
});

/** Fails if a process is left after 2 s, or anything once the server is back. */
async function killAndStart(
  place: Place,
  { server }: Site,
  load: Load,
  moment: string,
): Promise<Traces> {
  const traces = new Traces(server, load.mark);
  await load.endWith(async () => {
    await server.kill9();
    traces.died();
  });
  let left: Found[] = [];
  const areGone = () => {
    left = traces.left();
    return left.length === 0;
  };
  await eventually('nothing of the server is left', areGone, leftLimitMs).catch((late: Error) =>
    assert.fail(`${moment}: ${late.message}; there are\n${tellFound(left)}`),
  );

  await server.start();
  assert.equal(tellFound(traces.left()), '', `${moment}: what lives beyond the next start`);
  // Another server that starts at this moment may be the one that removes them.
  const areRemoved = () => traces.leftFolders(server).length === 0;
  await eventually(`${moment}: no folder lies beyond the next start`, areRemoved, leftLimitMs * 2);
  const { status, body } = await server.request('GET', '/health');
  assert.equal(status, 200, moment);
  assert.equal(body.isolation.task.level, place.level, moment);
  assert.equal(await outputOf(server, 'restless'), 'done', moment);
  return traces;
}

const wordsOf = {
  'a run': 'worker.mjs',
  'a browser': '--type=',
  'a daemon': 'daemon-',
  'a grandchild': 'grandchild-',
};

function namesOf(processes: Process[]): string[] {
  return Object.entries(wordsOf)
    .filter(([, word]) => processes.some(({ command }) => command.includes(word)))
    .map(([name]) => name);
}
