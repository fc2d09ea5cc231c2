// The key that secrets are sealed with: made once, replaced by its owner, and missed when it is
// gone; and that a sealed password is of use to nobody but the team that brought it.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { startServer, type Server } from '../support/server.ts';
import { quiet } from '../support/settings.ts';
import { deployTask, outputOf } from '../support/tasks.ts';
import { play } from './scenario.ts';

let folder = '';
before(() => (folder = mkdtempSync(path.join(tmpdir(), 'capstan-keys-'))));
after(() => rmSync(folder, { recursive: true }));

const proxy = {
  active: true,
  type: 'custom',
  server: 'http://proxy.example.com:3128',
  username: 'u',
  password: 'hunter2',
};
const browserConfiguration = { proxy };
const code = 'export default async () => 42;';

const keyFile = (data: string): string => path.join(data, 'secret-key');
const newKey = (id: string): string => `${id}:${randomBytes(32).toString('base64')}\n`;

/** A data folder of its own, whose server had a task stored that has a password. */
async function folderWithTask(name: string): Promise<string> {
  const data = path.join(folder, name);
  await serving(data, (server) => deployTask(server, 'task', code, { browserConfiguration }));
  return data;
}

async function serving(data: string, use: (server: Server) => Promise<unknown>): Promise<void> {
  const server = await startServer({ config: quiet(), data });
  try {
    await use(server);
  } finally {
    await server.stop();
  }
}

/** Runs the task, whose password can't be opened, and asserts that this is what is told. */
async function failsToRun(server: Server, key = server.key): Promise<void> {
  const failed = await play(server, {
    call: 'POST /v1/task/run/{taskName}',
    at: { taskName: 'task' },
    key,
    body: {},
    status: 500,
    says: "a stored secret can't be opened any more; store it once more, or ask",
  });
  assert.ok(!failed.text.includes('hunter2'));
}

test('a key is made once, for the owner alone, and opens after a restart', async () => {
  const data = await folderWithTask('kept');
  assert.equal(statSync(keyFile(data)).mode & 0o777, 0o600);
  const key = readFileSync(keyFile(data), 'utf8');
  await serving(data, async (server) => assert.equal(await outputOf(server, 'task'), 42));
  assert.equal(readFileSync(keyFile(data), 'utf8'), key);
});

test('a key is replaced by one above it, and dropped when nothing needs it', async () => {
  const data = await folderWithTask('rotated');
  const old = readFileSync(keyFile(data), 'utf8');
  const fresh = newKey('fresh');
  writeFileSync(keyFile(data), fresh + old);
  await serving(data, async (server) => {
    assert.equal(await outputOf(server, 'task'), 42, 'the old one opens');
    await deployTask(server, 'task', code, { browserConfiguration });
  });
  writeFileSync(keyFile(data), fresh);
  await serving(data, async (server) => {
    assert.equal(await outputOf(server, 'task'), 42, 'the new one has sealed');
    assert.equal(await outputOf(server, 'task', { version: '2' }), 42);
    const version = { version: '1' };
    await play(server, {
      call: 'POST /v1/task/run/{taskName}',
      at: { taskName: 'task' },
      body: version,
      status: 500,
    });
  });
});

test('with a key that is not its own, a run fails and all else works', async () => {
  const data = await folderWithTask('replaced');
  writeFileSync(keyFile(data), newKey('other'));
  await serving(data, async (server) => {
    await failsToRun(server);
    assert.ok(server.log.some((line) => /run_not_executed.*there is no key/.test(line)));
    const { body } = await play(server, { call: 'GET /v1/task', status: 200 });
    assert.equal(body.data.tasks[0].browserConfiguration.proxy.username, 'u');
    await deployTask(server, 'task', code, { browserConfiguration });
    assert.equal(await outputOf(server, 'task'), 42, 'once it is stored again');
  });
});

test('without its key, or with one that others can read, a server does not start', async () => {
  const data = await folderWithTask('lost');
  const key = readFileSync(keyFile(data), 'utf8');
  const start = (): Promise<Server> => startServer({ config: quiet(), data });
  rmSync(keyFile(data));
  await assert.rejects(start(), /ended \(2\)[^]*secret-key can't be read/);
  writeFileSync(keyFile(data), 'no key', { mode: 0o600 });
  await assert.rejects(start(), /ended \(2\)[^]*secret-key, line 1: must be ID:KEY/);
  writeFileSync(keyFile(data), key);
  chmodSync(keyFile(data), 0o644);
  await assert.rejects(start(), /ended \(2\)[^]*secret-key is open to other users; chmod 600 it/);
  chmodSync(keyFile(data), 0o600);
  await serving(data, async (server) => assert.equal(await outputOf(server, 'task'), 42));
});

test("another team's sealed password opens for nobody but that team", async () => {
  const data = await folderWithTask('copied');
  let key = '';
  await serving(data, async (server) => {
    key = await server.createKey('thief');
    await deployTask(server, 'task', code, { key });
  });
  const database = new DatabaseSync(path.join(data, 'capstan.db'));
  const copied = database
    .prepare(
      `update task_versions set browser_configuration =
         (select max(browser_configuration) from task_versions)
       where browser_configuration is null`,
    )
    .run();
  database.close();
  assert.ok(copied.changes > 0, 'the thief has it');
  await serving(data, async (server) => {
    await failsToRun(server, key);
    assert.equal(await outputOf(server, 'task'), 42, 'its owner uses it');
  });
});
