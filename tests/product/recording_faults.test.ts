// What is left of a recording when something dies, or the disk is full, while it is made.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { openPage } from '../support/pages.ts';
import { browsersOf, descendantsOf, encodersOf, type Process } from '../support/processes.ts';
import { recordingHasEnded } from '../support/recordings.ts';
import { type Server, startServer } from '../support/server.ts';
import { endSession, sessionHasEnded, statusOf } from '../support/sessions.ts';
import { colourAt, isNear, probeVideo } from '../support/video.ts';

const limit = { timeout: 120_000 };

/** A session whose page shows another colour ten times a second. */
async function openLively(server: Server, kind: 'headful' | 'headless'): Promise<string> {
  const { id, browser, page } = await openPage(server, {
    browser: { headless: { active: kind === 'headless' } },
  });
  await page.evaluate(`setInterval(() => {
    document.body.style.background = 'hsl(' + (performance.now() / 10) % 360 + ' 90% 50%)';
  }, 100)`);
  await browser.close();
  return id;
}

/** How long the film is that an encoder is writing; 0 while there is none. */
function secondsOnDisk(server: Server): number {
  const folder = path.join(server.dataDir, 'recordings');
  const [part] = readdirSync(folder).filter((name) => name.endsWith('.part.mp4'));
  if (part === undefined) return 0;
  const copy = path.join(server.scratch, 'part.mp4');
  copyFileSync(path.join(folder, part), copy);
  try {
    return probeVideo(copy).seconds;
  } catch {
    return 0; // no picture yet, and so no video
  }
}

async function fetchTo(server: Server, id: string): Promise<string> {
  const place = `/v1/sessions/${id}/recordings/primary/fetch`;
  const answer = await fetch(`${server.url}${place}`, { headers: { 'anchor-api-key': server.key } });
  assert.equal(answer.status, 200);
  const file = path.join(server.scratch, `${id}.mp4`);
  writeFileSync(file, Buffer.from(await answer.arrayBuffer()));
  return file;
}

/** Waits until so much of the session has been recorded. */
async function recorded(server: Server, id: string, seconds: number): Promise<number> {
  const begun = performance.now();
  await eventually('it is recorded', async () => encodersOf(server.pid).length > 0, 20_000);
  await eventually(
    `${seconds} s are recorded`,
    () => performance.now() - begun > seconds * 1000,
    seconds * 1000 + 5_000,
  );
  assert.equal(await statusOf(server, id), 'running');
  return performance.now();
}

for (const kind of ['headful', 'headless'] as const) {
  test(`kill -9 of the server leaves a ${kind} recording that plays`, limit, async () => {
    const server = await startServer();
    try {
      const id = await openLively(server, kind);
      await recorded(server, id, 4);
      await server.assertNothingIsLeft(await server.kill9());
      await server.start();
      const item = await recordingHasEnded(server, id);
      assert.equal(item.status, 'partial', JSON.stringify(item));
      assert.match(item.note, /the server died/);
      const { seconds } = probeVideo(await fetchTo(server, id));
      assert.ok(seconds > 2.5, `${seconds} s of 4`);
      assert.equal(encodersOf(server.pid).length, 0);
      const left = readdirSync(path.join(server.dataDir, 'recordings'));
      assert.deepEqual(left.map((name) => path.extname(name)).toSorted(), ['.json', '.mp4']);
    } finally {
      await server.stop();
    }
  });
}

test('what an encoder comes to late is in the film at its time', limit, async (t) => {
  const server = await startServer();
  t.after(() => server.stop());
  const { id, browser, page } = await openPage(server, {});
  await recorded(server, id, 1);
  const [encoder] = encodersOf(server.pid);
  assert.ok(encoder);
  process.kill(encoder.pid, 'SIGSTOP');
  const shown: { colour: number[]; since: number }[] = [];
  for (const colour of [[200, 0, 0], [0, 200, 0], [0, 0, 200]]) {
    await page.evaluate(`document.body.style.background = 'rgb(${colour})';
      new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted)))`);
    shown.push({ colour, since: Date.now() });
    await page.waitForTimeout(800);
  }
  process.kill(encoder.pid, 'SIGCONT');
  await browser.close();
  await endSession(server, id);
  const item = await recordingHasEnded(server, id);
  assert.equal(item.status, 'ready', JSON.stringify(item));
  const film = await fetchTo(server, id);
  for (const { colour, since } of shown) {
    const seconds = (since - Date.parse(item.created_at)) / 1000 + 0.5;
    const seen = colourAt(film, seconds);
    assert.ok(isNear(seen, colour), `at ${seconds} s ${seen} instead of ${colour}`);
  }
});

test('what dies beside it leaves a recording that plays', limit, async (t) => {
  const server = await startServer();
  t.after(() => server.stop());

  await t.test('the encoder: its session lives on', async (t) => {
    const id = await openLively(server, 'headful');
    t.after(() => endSession(server, id));
    const begun = performance.now();
    const isLong = () => {
      const seconds = secondsOnDisk(server);
      return seconds > 2 && seconds;
    };
    const onDisk = await eventually('2 s are on the disk', isLong, 30_000);
    t.diagnostic(`${onDisk} s, ${(performance.now() - begun) / 1000} s after it had been opened`);
    const [encoder] = encodersOf(server.pid);
    process.kill(encoder!.pid, 'SIGKILL');
    const item = await recordingHasEnded(server, id);
    assert.equal(item.status, 'partial');
    assert.match(item.note, /encoder failed.*Killed/);
    assert.equal(await statusOf(server, id), 'running');
    const { seconds } = probeVideo(await fetchTo(server, id));
    assert.ok(seconds >= onDisk, `${seconds} s of ${onDisk}`);
  });

  for (const victim of ['Xvfb', 'browser'] as const) {
    await t.test(`${victim}: the session has crashed, and is all there`, async () => {
      const id = await openLively(server, 'headful');
      await recorded(server, id, 3);
      const busy = await busyCage(server);
      process.kill(busy[victim].pid, 'SIGKILL');
      assert.equal(await sessionHasEnded(server, id), 'crashed');
      const item = await recordingHasEnded(server, id);
      assert.equal(item.status, 'ready', JSON.stringify(item));
      const { seconds } = probeVideo(await fetchTo(server, id));
      assert.ok(seconds > 2, `${seconds} s of 3`);
      await eventually('nothing is left of it', () => {
        const gone = new Set(descendantsOf(server.pid).map(({ pid }) => pid));
        const pids = [busy.Xvfb.pid, busy.browser.pid];
        return !pids.some((pid) => gone.has(pid)) && encodersOf(server.pid).length === 0;
      }, 5_000);
    });
  }
});

/** The browser that a session uses, which is the older one, and its screen. */
async function busyCage(server: Server): Promise<{ Xvfb: Process; browser: Process }> {
  const headful = browsersOf(server.pid).filter(({ command }) => !command.includes('headless'));
  const [browser] = headful.sort((one, other) => Number(one.started) - Number(other.started));
  assert.ok(browser);
  const Xvfb = descendantsOf(server.pid).find(
    ({ command, parent }) => command.startsWith('/usr/bin/Xvfb') && parent === browser.parent,
  );
  assert.ok(Xvfb);
  return { Xvfb, browser };
}

test('a full disk ends the recording, and its session lives on', limit, async (t) => {
  const server = await startServer({ config: '[recordings]\nfree_mib_min = 8\n' });
  const folder = path.join(server.dataDir, 'recordings');
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=32m,mode=0700', 'tmpfs', folder]);
  t.after(async () => {
    execFileSync('umount', ['-l', folder]);
    await server.stop();
  });

  const id = await openLively(server, 'headful');
  await recorded(server, id, 2);
  const { bavail, bsize } = statfsSync(folder);
  const ballast = path.join(folder, 'ballast');
  writeFileSync(ballast, Buffer.alloc(bavail * bsize - (4 << 20)));
  const item = await recordingHasEnded(server, id);
  assert.equal(item.status, 'partial');
  assert.equal(item.note, 'the disk has less room than recordings.free_mib_min');
  assert.equal(await statusOf(server, id), 'running');
  assert.ok(probeVideo(await fetchTo(server, id)).seconds > 1);
  await endSession(server, id);

  // With nothing left at all: there is no recording, and a session all the same.
  rmSync(ballast);
  writeFileSync(ballast, Buffer.alloc(statfsSync(folder).bavail * statfsSync(folder).bsize));
  const other = await openLively(server, 'headful');
  assert.equal((await recordingHasEnded(server, other)).status, 'failed');
  assert.equal(await statusOf(server, other), 'running');
  await endSession(server, other);
});
