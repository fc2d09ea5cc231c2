// What lies around a server is out of reach for the pages and tasks of its cages: its loopback, its
// neighbours, the metadata of its cloud, its own public address. A canary listens at every address
// but those of one public site, and hears of whoever comes, however he wrote the address.
import { enterOwnNetwork, neighbour } from './own_network.ts';
enterOwnNetwork();

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, suite, test, type TestContext } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { attempts as attemptsOfBrowsers } from './browser_attempts.ts';
import { Canaries } from './canaries.ts';
import type { Driver } from './driver.ts';
import type { Reached } from './foreign/reaching.ts';
import { fewHosts, leakedZone, publicName, rebindingZone, zone } from './hosts.ts';
import { NameServer } from './name_server.ts';
import { assertOutcomes, type Outcomes, type Row } from './outcomes.ts';
import { Outside, siteAnswer } from './outside.ts';
import { nameOf, type Place, places, type Site, startAt } from './places.ts';
import { attempts, Reaching } from './reaching.ts';

const limit = { timeout: 90_000 };
const isRoot = process.getuid?.() === 0;
const ours = isRoot ? 'root' : 'an ordinary user';
const strict: Place = { level: 'strict', owner: ours };

const withFiles = [
  ...['open a file', 'open it by climbing', 'open it in a frame', 'have it in a form'],
  'download into a folder of the machine',
];
const rows: Row[] = [
  {
    held: 'none',
    attempts: [...attempts.throughGateway, ...attempts.silent, 'file by a redirect'],
  },
  {
    held: 'standard',
    attempts: [...attempts.pastGateway, ...withFiles, 'download from the public site'],
  },
  // Landlock names ports and not addresses.
  { held: 'strict', attempts: attempts.toOwnDoor },
];

const namesOfAttempts = Object.values(attempts).flat();
const publicPage = new RegExp(siteAnswer);
const nameServer = await NameServer.open(zone);
after(() => nameServer.close());

suite('canaries around a server', { concurrency: 2 }, () => {
  // It waits for most of its time.
  test('a name that rebinds leads to nobody else', limit, async (t) => {
    const scene = await startAmongCanaries(t, strict);
    if (scene === undefined) return;
    const { server, outside } = scene;
    const name = `a.${rebindingZone}`;
    const reaching = await Reaching.begin(server, outside);
    const page = await reaching.pageAt(name);
    assert.equal(nameServer.timesAsked(name), 1);
    const again = `fetch('/').then(async (answer) => answer.status + await answer.text())`;
    const isRefused = async () => {
      const told: string = await reaching.driver.evaluate(again, page);
      if (told.includes(siteAnswer)) return false;
      assert.match(told, /^403.* is not on the public internet/);
      return true;
    };
    await eventually('the name is looked up again', isRefused, 60_000);
    assert.equal(nameServer.timesAsked(name), 2);
    assert.deepEqual(outside.hits, new Map());
  });

  suite('one after the other', { concurrency: 1 }, () => {
    test('canaries hear of those who come, and so does the name server', async (t) => {
      const outside = putUp(t);
      const port = await outside.canaryFor('we');
      for (const host of [...fewHosts, '::1']) {
        const socket = connect(port, host);
        await once(socket, 'connect');
        socket.destroy();
      }
      const socket = createSocket('udp4');
      socket.send('?', port, neighbour);
      await eventually('the datagram has come', () => outside.hits.get('we')?.has('by UDP'), 5_000);
      socket.close();
      const addresses = ['10.1.2.3', '127.0.0.1', '169.254.169.254', '::1', 'by UDP'];
      assert.deepEqual([...(outside.hits.get('we') ?? [])].sort(), addresses.sort());
      assert.deepEqual(new Set(nameServer.takeForeign()), new Set(['intranet.test']));
    });

    test('all attempts arrive when the server allows them', limit, async (t) => {
      const scene = await startAmongCanaries(t, strict, ['0.0.0.0/0', '::/0']);
      if (scene === undefined) return;
      await reachOut(scene);
      assert.deepEqual(await scene.outside.missing(attempts.throughGateway), []);
      const hasArrived = (attempt: string) => scene.outside.hits.has(attempt);
      const past = [...attempts.pastGateway, ...attempts.toOwnDoor, ...attempts.silent];
      assert.deepEqual(past.filter(hasArrived), [], 'what goes past the gateway arrives nowhere');
      assert.deepEqual(nameServer.takeForeign(), []);
    });

    test('the one that is allowed is reached, and no other', limit, async (t) => {
      const outside = putUp(t);
      const port = await outside.canaryFor('the allowed one');
      const scene = await startAmongCanaries(t, strict, [`${neighbour}:${port}`], outside);
      if (scene === undefined) return;
      const reaching = await Reaching.begin(scene.server, outside);
      await reaching.byPages();
      assert.deepEqual(outside.hits, new Map());
      await reaching.toHosts(() => 'the allowed one');
      // The second one leads to the first by a translator.
      const leadThere = new Set([neighbour, '64:ff9b::a01:203']);
      assert.deepEqual(outside.hits, new Map([['the allowed one', leadThere]]));
      outside.hits.clear();
      await reaching.byTask(`b.${leakedZone}`, () => 'the allowed one');
      assert.deepEqual(outside.hits, new Map([['the allowed one', leadThere]]));
    });

    for (const place of places) {
      // Who the server is makes a difference to how the cages of strict are built.
      if (place.owner !== ours && place.level !== 'strict') continue;
      test(`nobody gets to what lies around (${nameOf(place)})`, limit, async (t) => {
        const scene = await startAmongCanaries(t, place);
        if (scene === undefined) return;
        const { reached, driver } = await reachOut(scene);
        const isOpen = place.level === 'none';
        if (isOpen) await scene.outside.missing(attempts.pastGateway);
        const found = await outcomesWithFiles(t, scene, driver);
        for (const attempt of namesOfAttempts) {
          if (scene.outside.hits.has(attempt)) found.through.push(attempt);
          else found.held[attempt] = 'no canary has heard of it';
        }
        assertOutcomes(place, rows, found);
        assert.match(reached.site, publicPage, 'a task reaches the public site by its way out');
        assert.equal(publicPage.test(reached.siteAround), isOpen, reached.siteAround);
        const strangers = nameServer.takeForeign();
        assert.equal(strangers.length > 0, isOpen, `names were asked for: ${strangers.join()}`);
      });
    }
  });
});

type Scene = Site & { outside: Outside };

function putUp(t: TestContext): Outside {
  const outside = new Outside();
  t.after(() => outside.close());
  return outside;
}

/** A server at that place, which may ask for names. */
async function startAmongCanaries(
  t: TestContext,
  place: Place,
  allow: string[] = [],
  outside = putUp(t),
): Promise<Scene | undefined> {
  const settings = { egress: { allow }, task: { network: 'egress' } };
  const site = await startAt(t, place, settings);
  if (site === undefined) return undefined;
  const { pid } = site.server;
  nameServer.takeForeign(); // of a test that has failed
  nameServer.servers.add(pid);
  t.after(() => nameServer.servers.delete(pid));
  return { ...site, outside };
}

/** By all ways to all canaries. */
async function reachOut({ server, outside }: Scene): Promise<{ reached: Reached; driver: Driver }> {
  const reaching = await Reaching.begin(server, outside);
  const full = await Reaching.begin(server, outside, 'headful');
  await Promise.all([reaching.byPages(), reaching.byContexts(), full.byFullBrowser()]);
  await reaching.byDevTools();
  await reaching.bySession();
  const reached = await reaching.byTask(`${process.hrtime.bigint()}.${leakedZone}`);
  return { reached, driver: reaching.driver };
}

async function outcomesWithFiles(t: TestContext, scene: Scene, driver: Driver): Promise<Outcomes> {
  const { server, owner, outside } = scene;
  const canaries = await Canaries.putUp(server.scratch, owner);
  t.after(() => canaries.takeDown());
  const site = await outside.site(publicName);
  const ofSite: Record<string, () => Promise<boolean>> = {
    'download from the public site': async () => {
      const isOver = driver.nextDownload();
      await driver.client.call('Page.navigate', { url: `${site}download` }, await driver.newPage());
      await isOver;
      return canaries.changes().includes('planted from-the-site');
    },
    'file by a redirect': async () => {
      const url = `${site}redirect/302?${encodeURIComponent(`file://${canaries.targets.file}`)}`;
      return (await driver.textAt(url)).includes(canaries.targets.word);
    },
  };
  const found: Outcomes = { through: [], held: {} };
  const attack = { driver, canaries, server, others: '/none' };
  for (const name of [...withFiles, ...Object.keys(ofSite)]) {
    const attempt = ofSite[name] ?? (() => attemptsOfBrowsers[name]!(attack));
    try {
      if (await attempt()) found.through.push(name);
      else found.held[name] = 'to no effect';
    } catch (error) {
      found.held[name] = (error as Error).message;
    }
  }
  return found;
}
