// Pages, and those who drive them, that take all they can get: their session is bounded, and tells
// which limit it met; another team's session and the server answer meanwhile; nothing of theirs is
// left. At none nothing is promised.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually, within } from '../support/eventually.ts';
import {
  descendantsOf,
  encodersOf,
  isAlive,
  type Process,
  residentMemoryOf,
  tell,
} from '../support/processes.ts';
import { recordingHasEnded } from '../support/recordings.ts';
import { openSession, sessionHasEnded, sessionOf } from '../support/sessions.ts';
import { startSite } from '../support/site.ts';
import { type BrowserBomb, bombs } from './browser_bombs.ts';
import { Driver } from './driver.ts';
import { nameOf, type Place, places, type Site, startAt } from './places.ts';

const sessions = {
  memory_mib_max: 768,
  disk_mib_max: 64,
  processes_max: 160,
  open_files_max: 1_024,
};
const bombLimitMs = 28_000; // less than a driver's patience with one answer
const heldLimitMs = 15_000;
const answerLimitMs = 5_000;
const leftLimitMs = 2_000;
const growthMibMax = 128; // it carries messages of 64 MiB, and gives memory back late

/**
 * What is to come of a bomb: one of these limits is told; or the bomb itself says something; or it
 * gets stuck, and nobody tells.
 */
type End = { meets: string[] } | { says: RegExp } | { isHeld: true };
type Expectation = (site: Site, place: Place) => End | 'too much';

const ends = { says: /^unbounded$/ };
const memory: Expectation = ({ browser }) =>
  browser.limits.memory === 'cgroup' ? { meets: ['sessions.memory_mib_max'] } : 'too much';
// The kernel tells control groups alone what it refused.
const processes: Expectation = ({ browser: { limits } }) =>
  ({
    cgroup: { meets: ['sessions.processes_max', 'sessions.memory_mib_max'] },
    rlimit: { isHeld: true as const },
    none: ends,
  })[limits.processes];
// Chromium sees how large the folder is, and keeps its pages from filling it.
const storage: Expectation = (_, { level }) => ({
  says: level === 'strict' ? /QuotaExceededError/ : /unbounded|QuotaExceededError/,
});

const expectations: Record<string, Expectation> = {
  'a page that allocates': memory,
  'many tabs': processes,
  'many workers': processes,
  'frames that make frames': () => ends,
  // At strict some fit, and the browser cancels what doesn't, and makes room by that. Below strict
  // its folder isn't known to who drives it, and no other one is open to it.
  'downloads without end': (_, { level }) => ({
    says: level === 'strict' ? /^(completed,)+(canceled|never)/ : /^(canceled|never)/,
  }),
  'a database without end': storage,
  'a file system without end': storage,
  'a console without end': () => ({ says: /over/ }),
  'huge messages to the browser': memory,
  'huge messages from the browser': () => ends,
};

for (const place of places.filter(({ level }) => level !== 'none')) {
  test(`bombs in browsers (${nameOf(place)})`, { timeout: 400_000 }, async (t) => {
    const site = await startAt(t, place, { sessions });
    if (site === undefined) return;
    const neighbour = await Neighbour.open(site);
    const pages = await startSite();
    t.after(() => pages.stop());
    const memoryBefore = residentMemoryOf(site.server.pid);
    for (const [name, bomb] of Object.entries(bombs)) {
      const end = expectations[name]?.(site, place);
      assert.ok(end, `something is expected of ${name}`);
      if (end === 'too much') t.diagnostic(`${name}: not tried, nothing bounds it`);
      else {
        await t.test(name, { timeout: 90_000 }, (t) =>
          letOff(t, site, neighbour, { bomb, url: `${pages.url}/`, end }),
        );
      }
    }
    const growth = residentMemoryOf(site.server.pid) - memoryBefore;
    assert.ok(growth < growthMibMax, `the server grew by ${growth.toFixed()} MiB`);
  });
}

type Lit = { bomb: BrowserBomb; url: string; end: End };

async function letOff(
  t: TestContext,
  { server }: Site,
  neighbour: Neighbour,
  { bomb, url, end }: Lit,
): Promise<void> {
  const before = new Set(descendantsOf(server.pid).map(({ pid }) => pid));
  const { id, cdp_url: address } = await openSession(server);
  const driver = await Driver.connect(address);
  const page = await driver.newPage();
  await driver.navigate(page, url);

  let said: string | undefined;
  bomb(driver, page).then(
    (result) => (said = String(result)),
    (error: Error) => (said = error.message),
  );
  const state = async () => {
    const { status, limits_met: met } = await sessionOf(server, id);
    return { isOver: said !== undefined || status !== 'running', met: met as string[] };
  };
  const deadline = performance.now() + ('isHeld' in end ? heldLimitMs : bombLimitMs);
  let now = await state();
  while (!now.isOver && performance.now() < deadline) {
    if ('meets' in end && end.meets.some((setting) => now.met.includes(setting))) break;
    await neighbour.mustAnswer();
    await pause(50);
    now = await state();
  }
  await neighbour.mustAnswer();
  t.diagnostic(`said ${said}, met ${now.met.join() || 'nothing'}`);
  if ('meets' in end) {
    const isTold = end.meets.some((setting) => now.met.includes(setting));
    assert.ok(isTold, `${end.meets.join(' or ')} is told; met ${now.met.join()}; it said ${said}`);
  } else if ('isHeld' in end) {
    assert.notEqual(said, 'unbounded');
  } else {
    assert.ok(said !== undefined, 'it came to an end');
    assert.match(said, end.says);
  }

  await server.request('DELETE', `/v1/sessions/${id}`); // unless it has ended
  await sessionHasEnded(server, id);
  await recordingHasEnded(server, id);
  const left = () => withoutThoseOf(before, descendantsOf(server.pid)).filter(isAlive);
  const isGone = () => left().length === 0;
  await eventually('nothing of it is left', isGone, leftLimitMs).catch((late: Error) =>
    assert.fail(`${late.message}; there are\n${tell(left())}`),
  );
  await neighbour.mustAnswer();
}

/** Without what stems from the `others`: their browsers start processes late, too. */
function withoutThoseOf(others: Set<number>, all: Process[]): Process[] {
  const known = new Set(others);
  for (const { pid, parent } of all) if (known.has(parent)) known.add(pid); // parents come first
  return all.filter(({ pid }) => !known.has(pid));
}

/** Another team's session, and anybody who asks how the server is. */
class Neighbour {
  readonly #site: Site;
  readonly #driver: Driver;
  readonly #page: string;

  static async open(site: Site): Promise<Neighbour> {
    const { cdp_url: address } = await openSession(site.server, { key: site.otherKey });
    const isRecorded = () => encodersOf(site.server.pid).length > 0;
    await eventually('the neighbour is recorded', isRecorded, 20_000);
    const driver = await Driver.connect(address);
    return new Neighbour(site, driver, await driver.newPage());
  }

  private constructor(site: Site, driver: Driver, page: string) {
    this.#site = site;
    this.#driver = driver;
    this.#page = page;
  }

  async mustAnswer(): Promise<void> {
    // Longer than what needs no room.
    const text = this.#driver.evaluate(`'x'.repeat(100_000)`, this.#page);
    assert.equal((await within('the neighbour answers', answerLimitMs, text)).length, 100_000);
    const health = this.#site.server.request('GET', '/health', { key: null });
    const { status } = await within('the server answers', answerLimitMs, health);
    assert.equal(status, 200);
  }
}
