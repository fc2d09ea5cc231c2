// Much of the same, for long: nothing of it stays behind.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { DevToolsClient } from '../support/cdp.ts';
import { eventually } from '../support/eventually.ts';
import { browsersOf, descendantsOf, encodersOf, openFilesOf, residentMemoryOf, tell } from '../support/processes.ts';
import { startServer } from '../support/server.ts';
import { endSession, openSession } from '../support/sessions.ts';
import { quiet } from '../support/settings.ts';
import { startSite } from '../support/site.ts';
import { deployTask, outputOf } from '../support/tasks.ts';

const config = quiet({ runs: { max_running: 4, warm: 2 }, browser: { warm_headless: 1 } });
// A sanitizer keeps freed memory for a while, so as to notice its use; that is no leak.
const { ASAN_OPTIONS = '' } = process.env;
const quarantine = 'quarantine_size_mb=4:thread_local_quarantine_size_kb=64';
const env = { ASAN_OPTIONS: `${ASAN_OPTIONS}:${quarantine}` };

const server = await startServer({ config, env });
const site = await startSite();
after(() => site.stop());
after(() => server.stop());

const limit = { timeout: 300_000 };
const growthMaxMib = 4;
const settleLimitMs = 90_000; // recordings are made ready two at a time, behind all else

type Level = {
  workers: number;
  browsers: number;
  encoders: number;
  ended: number;
  files: number;
};

/** What the server holds at the moment. */
function levelNow(): Level {
  const children = descendantsOf(server.pid);
  return {
    workers: children.filter(({ command }) => command.includes('worker.mjs')).length,
    browsers: browsersOf(server.pid).length,
    encoders: encodersOf(server.pid).length,
    ended: children.filter(({ state }) => state === 'Z').length,
    files: openFilesOf(server.pid).length,
  };
}

/** Waits until the server holds nothing but what it keeps warm, and returns how much that is. */
async function settled(): Promise<Level> {
  await eventually(
    'two warm runners, one warm browser and nothing else',
    () => {
      const { workers, browsers, encoders, ended } = levelNow();
      return workers === 2 && browsers === 1 && encoders === 0 && ended === 0;
    },
    settleLimitMs,
  ).catch((late: Error) => {
    const { pid } = server;
    assert.fail(`${late.message}; ${JSON.stringify(levelNow())}\n${tell(descendantsOf(pid))}`);
  });
  const { body: health } = await server.request('GET', '/health');
  assert.deepEqual([health.sessions, health.runs], [0, 0], 'no slot is taken');
  assert.equal(await server.metric('capstan_sessions_open'), 0);
  assert.equal(await server.metric('capstan_runs_running'), 0);
  return levelNow();
}

/** Repeats `work`; asserts that what the second half leaves behind is what the first half left. */
async function staysLevel(work: () => Promise<void>): Promise<void> {
  await work();
  const before = { ...(await settled()), memory: residentMemoryOf(server.pid) };
  await work();
  const after = { ...(await settled()), memory: residentMemoryOf(server.pid) };
  const growth = after.memory - before.memory;
  const figures = `${before.memory.toFixed(1)} MiB, then ${after.memory.toFixed(1)} MiB`;
  console.log(`memory of the server: ${figures}; open files: ${before.files}, then ${after.files}`);
  assert.ok(growth < growthMaxMib, `the memory is level, not ${figures}`);
  // A file that leaked stays open; those of what is just being made ready come and go.
  const areLevel = () => levelNow().files <= before.files + 4;
  await eventually('open files are level', areLevel, 10_000).catch((late: Error) =>
    assert.fail(`${late.message}\n${openFilesOf(server.pid).join('\n')}`),
  );
}

async function oneSession(number: number): Promise<void> {
  const { id, cdp_url: address } = await openSession(server);
  if (number % 5 === 0) {
    const client = await DevToolsClient.connect(address);
    assert.equal(await client.evaluate('6 * 7', await client.attach()), 42);
    if (number % 2 === 0) await client.close(); // the others are connected when their session ends
  }
  await endSession(server, id);
}

test('200 sessions, one after the other, leave nothing', limit, async () => {
  await staysLevel(async () => {
    for (let number = 1; number <= 100; ++number) await oneSession(number);
  });
  const { body } = await server.request('GET', '/v1/sessions/all/status');
  assert.equal(body.data.count, 0);
});

test('100 runs of 8 callers at once leave nothing', limit, async () => {
  const code = `
    import AnchorBrowser from 'anchorbrowser';
    export default async () => {
      const number = Number(process.env.ANCHOR_NUMBER);
      if (number % 5 > 0) return number;
      const browser = await new AnchorBrowser().browser.connect(process.env.ANCHOR_SESSION_ID!);
      const page = browser.contexts()[0]!.pages()[0]!;
      await page.goto(process.env.ANCHOR_PAGE_URL!);
      return number + ' ' + await page.title();
    };`;
  await deployTask(server, 'one-of-many', code);
  await staysLevel(async () => {
    let next = 1;
    const caller = async () => {
      for (let number = next++; number <= 50; number = next++) {
        const inputs = { ANCHOR_NUMBER: `${number}`, ANCHOR_PAGE_URL: `${site.url}/` };
        const output = await outputOf(server, 'one-of-many', { inputs });
        assert.equal(output, number % 5 > 0 ? number : `${number} The harbour`);
      }
    };
    await Promise.all(Array.from({ length: 8 }, caller));
  });
});
