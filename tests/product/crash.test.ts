// What is left when the server, or a browser of it, dies at the worst moment.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { DevToolsClient } from '../support/cdp.ts';
import { eventually, within } from '../support/eventually.ts';
import { browsersOf, isAlive } from '../support/processes.ts';
import { startServer } from '../support/server.ts';
import { endSession, openSession, sessionHasEnded, statusOf } from '../support/sessions.ts';
import { beginRun, deployTask, endStates, executionIn, executionOf } from '../support/tasks.ts';

const config = `
[runs]
max_running = 4
shutdown_grace = "6s"
[browser]
default = "headless"
warm_headful = 0
warm_headless = 0
`;
const server = await startServer({ config });
after(() => server.stop());

const limit = { timeout: 120_000 };

/** Opens the run's browser and stays, if it is told to; else returns. */
const code = `
  import AnchorBrowser from 'anchorbrowser';
  export default async () => {
    if (!process.env.ANCHOR_STAY) return 'done';
    const browser = await new AnchorBrowser().browser.connect(process.env.ANCHOR_SESSION_ID!);
    console.log('connected');
    await new Promise(() => {});
    await browser.close();
  };`;
const stay = { inputs: { ANCHOR_STAY: 'yes' } };
const task = await deployTask(server, 'stays', code);

/** Waits until the run has printed that it is connected to its browser. */
async function isConnected(id: string): Promise<void> {
  const path = `/v1/task/${task}/executions/${id}/logs`;
  const check = async () => (await server.request('GET', path)).body.data.logs.length > 0;
  await eventually(`run ${id} is connected to its browser`, check, 30_000);
}

test('kill -9 with 4 runs running and 4 queued', limit, async () => {
  const running = await Promise.all([1, 2, 3, 4].map(() => beginRun(server, 'stays', stay)));
  await Promise.all(running.map(isConnected));
  const queued = await Promise.all([1, 2, 3, 4].map(() => beginRun(server, 'stays')));
  for (const id of running) assert.equal((await executionOf(server, task, id)).status, 'running');
  for (const id of queued) assert.equal((await executionOf(server, task, id)).status, 'queued');

  const children = await server.kill9();
  assert.ok(children.filter(({ command }) => command.includes('worker.mjs')).length >= 4);
  assert.ok(children.filter(({ command }) => command.includes('--user-data-dir')).length >= 4);
  await server.assertNothingIsLeft(children);

  await server.start();
  for (const id of queued) {
    const execution = await executionIn(server, task, id, endStates);
    assert.deepEqual([execution.status, execution.output], ['success', '"done"']);
  }
  const interrupted = [];
  for (const id of running) {
    const execution = await executionOf(server, task, id);
    assert.equal(execution.status, 'failure');
    assert.equal(execution.errorMessage, 'interrupted by a server restart');
    interrupted.push(execution);
  }
  const { body } = await server.request('GET', `/v1/task/${task}/executions?limit=100`);
  assert.equal(body.data.pagination.total, 8, 'no run became two');

  // What has ended stays as it is, however often the server comes back.
  await server.kill9();
  await server.start();
  for (const before of interrupted) {
    assert.deepEqual(await executionOf(server, task, before.id), before);
  }
});

test('sessions of a server that died are not running any more', limit, async () => {
  const { id, cdp_url: address } = await openSession(server);
  const client = await DevToolsClient.connect(address);
  await server.kill9();
  await within('the client is let go', 5_000, client.closed);
  await server.start();
  assert.notEqual(await statusOf(server, id), 'running');
  const all = await server.request('GET', '/v1/sessions/all/status');
  assert.equal(all.body.data.count, 0);
});

test('a browser that is killed ends its session as crashed, and no other', limit, async () => {
  const other = await openSession(server);
  const browsersBefore = browsersOf(server.pid);
  const victim = await openSession(server);
  const client = await DevToolsClient.connect(victim.cdp_url);
  const witness = await DevToolsClient.connect(other.cdp_url);
  const known = new Set(browsersBefore.map(({ pid }) => pid));
  const [browser, ...more] = browsersOf(server.pid).filter(({ pid }) => !known.has(pid));
  assert.ok(browser);
  assert.deepEqual(more, [], 'nothing is warm, so the new one is the victim');
  process.kill(browser.pid, 'SIGKILL');

  await within('its client is let go', 5_000, client.closed);
  assert.equal(await sessionHasEnded(server, victim.id), 'crashed');
  await eventually('its processes are gone', async () => !isAlive(browser), 5_000);
  assert.equal(await statusOf(server, other.id), 'running');
  assert.ok(await witness.call('Browser.getVersion'));
  await witness.close();
  await endSession(server, other.id);
});

test('SIGTERM gives runs their grace time, and then ends them', limit, async () => {
  const short = await deployTask(server, 'ends-in-time', `
    import { setTimeout } from 'node:timers/promises';
    export default async () => { await setTimeout(3000); return 'in time'; };`);
  const tooLate = server.request('POST', '/v1/task/run/stays', { body: stay });
  const others = [await beginRun(server, 'stays', stay), await beginRun(server, 'stays', stay)];
  const idsOf = async (
    status: string,
    count: number,
    ofTask = task,
  ): Promise<string[] | false> => {
    const path = `/v1/task/${ofTask}/executions?status=${status}`;
    const { results } = (await server.request('GET', path)).body.data;
    return results.length === count && results.map((run: { id: string }) => run.id);
  };
  const running = await eventually('they run', async () => await idsOf('running', 3), 10_000);
  for (const id of running) await isConnected(id);
  const [id] = running.filter((one: string) => !others.includes(one));
  const inTime = server.request('POST', '/v1/task/run/ends-in-time', { body: {} });
  await eventually('the short one runs', async () => await idsOf('running', 1, short), 5_000);
  const queued = server.request('POST', '/v1/task/run/stays', { body: {} });
  await eventually('the last one waits', async () => await idsOf('queued', 1), 5_000);

  const begin = performance.now();
  const stopped = server.stop(); // asserts that the exit status is 0 and that nothing is left
  const isStopping = async () => {
    const { status, body } = await server.request('GET', '/ready');
    return status === 503 && body.reasons;
  };
  const reasons = await eventually('it says that it stops', isStopping, 2_000);
  assert.deepEqual(reasons, ['the server is shutting down']);
  const refused = { error: { code: 503, message: 'the server is shutting down' } };
  for (const path of ['/v1/sessions', '/v1/task/run/stays']) {
    const answer = await server.request('POST', path, { body: {} });
    assert.deepEqual(answer.body, refused, path);
  }
  const waiting = await queued;
  assert.equal(waiting.status, 503, waiting.text);
  const left = waiting.headers['x-execution-id'] as string;
  assert.equal((await executionOf(server, task, left)).status, 'queued', 'for the next start');
  await stopped;
  const seconds = (performance.now() - begin) / 1000;
  assert.ok(seconds > 5 && seconds < 15, `it took ${seconds} s, with 6 s of grace`);
  assert.equal((await inTime).body.data.output, '"in time"');
  const answer = await tooLate;
  assert.equal(answer.status, 500, 'it is not the code that failed');
  assert.equal(answer.body.error.message, 'server shutdown');
  assert.equal(answer.headers['x-execution-id'], id);
});
