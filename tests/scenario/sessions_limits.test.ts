// How many sessions there may be: of a team, and in all; and that an ended one makes room.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startServer } from '../support/server.ts';
import { endSession } from '../support/sessions.ts';
import { quiet } from '../support/settings.ts';
import { deployTask } from '../support/tasks.ts';
import { check, play, type Scenario } from './scenario.ts';

const config = quiet({
  runs: { warm: 1 },
  sessions: { max: 3, max_per_team: 2 },
  browser: { warm_headless: 1 },
});
const server = await startServer({ config });
after(() => server.stop());
const otherKey = await server.createKey('other');

const create = (status: number, key: string = server.key): Scenario => ({
  call: 'POST /v1/sessions',
  key,
  status,
});

test('a team has so many sessions at once, and the server so many in all', async () => {
  const first: string = (await play(server, create(200))).body.data.id;
  await play(server, create(200));
  await check(server, [{ ...create(429), says: 'team' }]);
  await play(server, create(200, otherKey));
  await check(server, [{ ...create(503, otherKey), says: 'server' }]);

  const quick = await deployTask(server, 'quick', 'export default async () => 1;\n');
  const run = { call: 'POST /v1/task/run', body: { taskId: quick }, status: 200 };
  const ran = await play(server, run);
  assert.equal(ran.body.data.success, true, 'a run that opens no browser needs no room for one');

  await endSession(server, first);
  await play(server, create(200)); // there is room at once
  await play(server, { call: 'DELETE /v1/sessions/all', status: 200 });
  await play(server, create(200));
  await play(server, create(200));
});

test('a session that could not begin takes no room', async () => {
  await play(server, { call: 'DELETE /v1/sessions/all', status: 200 });
  const bad = { ...create(400), body: { session: { initial_url: 'file:///' } } };
  await check(server, [bad, bad, bad]);
  await play(server, create(200));
  await play(server, create(200));
});
