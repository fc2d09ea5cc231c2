// Whoever drives a browser by DevTools tries to reach the machine with it, at every level and for
// either kind of server. What holds it is written down here, as for tasks.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { Server } from '../support/server.ts';
import { openSession, statusOf } from '../support/sessions.ts';
import { attempts } from './browser_attempts.ts';
import { Canaries } from './canaries.ts';
import { Driver } from './driver.ts';
import { assertOutcomes, type Outcomes, type Row } from './outcomes.ts';
import { nameOf, places, startAt } from './places.ts';

const byUser = { root: 'none', 'an ordinary user': 'standard' } as const;

const rows: Row[] = [
  { held: 'strict', attempts: ["open the machine's list of users"] },
  {
    held: 'standard',
    attempts: [
      'open a file',
      'open it as source',
      'open it by climbing',
      'open it through the root of a process',
      'open it in a frame',
      'have it in a form',
      'download into a folder of the machine',
      'reach the machine by a context without proxy',
      'reach the machine by a context with a proxy of its own',
    ],
  },
  { held: byUser, attempts: ['open the first key', 'open the operator token'] },
  {
    // One Chromium offers what another one doesn't.
    held: 'standard',
    uncertain: true,
    attempts: [
      'list a folder',
      'load it as a resource',
      'load an extension of the machine',
      'open a port of the machine',
      'open the database',
      "read another session's profile",
    ],
  },
  {
    held: 'none',
    attempts: [
      'fetch it from a page of a file',
      'reach the machine by its own proxy',
      "reach the server's main port by its own proxy",
      'open /etc/shadow',
      // They say that they are empty, so Chromium shows nothing of them.
      "open the server's command line",
      "open the server's environment",
    ],
  },
];

const kinds = ['headless', 'headful'] as const;

for (const place of places) {
  for (const kind of kinds) {
    if (kind === 'headful' && (place.level === 'none' || place.owner !== 'root')) continue;
    test(`who drives a ${kind} browser tries to escape (${nameOf(place)})`, async (t) => {
      const site = await startAt(t, place, { egress: { allow: [] } });
      if (site === undefined) return;
      const { server, otherKey } = site;
      const canaries = await Canaries.putUp(server.scratch, site.owner);
      t.after(() => canaries.takeDown());
      const body = { browser: { headless: { active: kind === 'headless' } } };
      await openSession(server, { key: otherKey, body });
      const others = profileIn(server);
      const { id, cdp_url: address } = await openSession(server, { body });
      const driver = await Driver.connect(address);

      const found: Outcomes = { through: [], held: {} };
      for (const [name, attempt] of Object.entries(attempts)) {
        try {
          if (await attempt({ driver, canaries, server, others })) found.through.push(name);
          else found.held[name] = 'to no effect';
        } catch (error) {
          found.held[name] = (error as Error).message;
        }
      }
      assertOutcomes(place, rows, found);
      if (place.level !== 'none') {
        assert.deepEqual(canaries.hits, [], 'nothing reached a socket of the machine');
        assert.deepEqual(canaries.changes(), [], 'nothing became of files of the machine');
      }
      assert.equal(await driver.evaluate('6 * 7', await driver.newPage()), 42);
      assert.equal(await statusOf(server, id), 'running');
    });
  }
}

/** The folder of the one browser's profile, where it lies on the machine's disk. */
function profileIn(server: Server): string {
  const folders = readdirSync(server.temporaryDir).flatMap((name) => {
    const folder = path.join(server.temporaryDir, name);
    return readdirSync(folder).map((cage) => path.join(folder, cage, 'profile'));
  });
  return folders.find((folder) => path.basename(path.dirname(folder)).startsWith('c-')) ?? '/none';
}
