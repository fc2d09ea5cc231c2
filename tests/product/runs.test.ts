// What a run's code sees, and what becomes of the sessions that it works in.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startServer } from '../support/server.ts';
import { endSession, openSession, sessionOf } from '../support/sessions.ts';
import { startSite } from '../support/site.ts';
import { deployTask, executionOf, outputOf, runTask } from '../support/tasks.ts';

const server = await startServer({ config: '[browser]\ndefault = "headless"\n' });
const site = await startSite();
after(() => site.stop());
after(() => server.stop());

const limit = { timeout: 60_000 };

async function hasStatus(id: string, status: string): Promise<void> {
  const check = async () => (await sessionOf(server, id)).status === status;
  await eventually(`session ${id} is ${status}`, check, 5_000);
}

/** Connects to the run's session, and tells what it finds there. */
const looksAround = `
  import AnchorBrowser from 'anchorbrowser';
  export default async () => {
    const sessionId = process.env.ANCHOR_SESSION_ID!;
    const browser = await new AnchorBrowser().browser.connect(sessionId);
    const [page] = browser.contexts()[0]!.pages();
    const viewport = await page!.evaluate('[innerWidth, innerHeight]');
    const agent = await page!.evaluate('navigator.userAgent');
    await browser.close();
    return { sessionId, url: page!.url(), viewport, agent };
  };`;

/** Opens two sessions through the API, and leaves them open. */
const opensTwo = `
  import AnchorBrowser from 'anchorbrowser';
  export default async () => {
    const client = new AnchorBrowser();
    const browser = { viewport: { width: 333, height: 222 } };
    const one = await client.sessions.create({ browser });
    const other = await client.sessions.create();
    return [one.data!.id, other.data!.id];
  };`;

test('inputs are there when the module is loaded, and for one run only', limit, async () => {
  const code = `
    const atTheTop = process.env.ANCHOR_WORD;
    export default async () => [atTheTop, process.env.ANCHOR_WORD, process.env.ANCHOR_OTHER];`;
  await deployTask(server, 'inputs', code);
  const word = 'ü "quoted"\n and\tmore = all';
  const inputs = { ANCHOR_WORD: word, ANCHOR_OTHER: '' };
  assert.deepEqual(await outputOf(server, 'inputs', { inputs }), [word, word, '']);
  assert.deepEqual(await outputOf(server, 'inputs'), [null, null, null]);
});

test('a run sees an environment of its own and nothing of the server', limit, async () => {
  await deployTask(server, 'environment', 'export default async () => process.env;');
  const inputs = { ANCHOR_WORD: 'ahoy' };
  const environment = await outputOf(server, 'environment', { inputs });
  assert.deepEqual(Object.keys(environment).sort(), [
    'ANCHORBROWSER_API_KEY',
    'ANCHORBROWSER_BASE_URL',
    'ANCHOR_API_KEY',
    'ANCHOR_SESSION_ID',
    'ANCHOR_WORD',
    'HOME',
    'LANG',
    'NODE_ENV',
    'PATH',
    'TMPDIR',
    'TZ',
  ]);
  assert.equal(environment.TZ, 'UTC');
  assert.equal(environment.NODE_ENV, 'production');
  assert.equal(environment.ANCHOR_WORD, 'ahoy');
  assert.ok(environment.ANCHORBROWSER_API_KEY !== '');
  assert.ok(!JSON.stringify(environment).includes(server.key), 'the key of the team stays outside');
  assert.notEqual(environment.ANCHORBROWSER_BASE_URL, server.url, 'it leads to a door of the run');
});

test('inputs win where the documents let them', limit, async () => {
  await deployTask(server, 'environment', 'export default async () => process.env;');
  const inputs = { ANCHOR_API_KEY: 'a key of the caller', ANCHOR_SESSION_ID: '' };
  const environment = await outputOf(server, 'environment', { inputs });
  assert.equal(environment.ANCHOR_API_KEY, 'a key of the caller');
  assert.equal(environment.ANCHOR_SESSION_ID, '');
});

test('a default export that takes an argument gets its run told', limit, async () => {
  const code = `export default async (run) => ({
    ...run,
    signal: run.signal.aborted,
    same: run.sessionId === process.env.ANCHOR_SESSION_ID,
  });`;
  const task = await deployTask(server, 'told', code);
  const result = await runTask(server, 'told', { inputs: { ANCHOR_WORD: 'ahoy' } });
  const { sessionId, ...told } = result.output;
  assert.deepEqual(told, {
    inputs: { ANCHOR_WORD: 'ahoy' },
    executionId: result.executionResultId,
    signal: false,
    same: true,
  });
  assert.match(sessionId, /^[0-9a-f-]{36}$/);
  assert.equal((await executionOf(server, task, result.executionResultId)).status, 'success');
});

test('a key that the code shows at its door changes nothing', limit, async () => {
  const code = `
    import AnchorBrowser from 'anchorbrowser';
    export default async () => {
      const client = new AnchorBrowser({ apiKey: 'somebody else' });
      return (await client.task.list()).data!.tasks.map(({ name }) => name);
    };`;
  await deployTask(server, 'door', code);
  assert.ok((await outputOf(server, 'door')).includes('door'));
});

test('a run that uses no session has no browser', limit, async () => {
  const task = await deployTask(server, 'no-browser', 'export default () => 1;');
  const { executionResultId: id } = await runTask(server, 'no-browser');
  const { sessionIds } = await executionOf(server, task, id);
  assert.deepEqual(sessionIds, []);
});

test('what a run opened is ended with it', limit, async () => {
  const task = await deployTask(server, 'opens-two', opensTwo);
  const result = await runTask(server, 'opens-two');
  assert.equal(result.success, true, result.error);
  for (const id of result.output) await hasStatus(id, 'completed');
  const { sessionIds } = await executionOf(server, task, result.executionResultId);
  assert.deepEqual(new Set(sessionIds), new Set(result.output));
  assert.equal((await sessionOf(server, result.output[0])).task_initiated, true);

  await deployTask(server, 'opens-one', looksAround);
  const own = await outputOf(server, 'opens-one');
  await hasStatus(own.sessionId, 'completed');
});

test('cleanupSessions false leaves them open', limit, async () => {
  await deployTask(server, 'opens-two', opensTwo);
  const [one, other] = await outputOf(server, 'opens-two', { cleanupSessions: false });
  assert.equal((await sessionOf(server, one)).status, 'running');
  assert.equal((await sessionOf(server, other)).status, 'running');
  await endSession(server, one);
  await endSession(server, other);
});

test('a session handed in stays open unless the caller says otherwise', limit, async () => {
  await deployTask(server, 'looks-around', looksAround);
  const initial_url = `${site.url}/form`;
  const { id: sessionId } = await openSession(server, { body: { session: { initial_url } } });
  const seen = await outputOf(server, 'looks-around', { sessionId });
  assert.equal(seen.sessionId, sessionId);
  assert.equal(seen.url, initial_url);
  assert.equal((await sessionOf(server, sessionId)).status, 'running');

  await outputOf(server, 'looks-around', { sessionId, cleanupSessions: false });
  assert.equal((await sessionOf(server, sessionId)).status, 'running');
  await outputOf(server, 'looks-around', { sessionId, cleanupSessions: true });
  await hasStatus(sessionId, 'completed');

  const body = { sessionId };
  const refused = await server.request('POST', '/v1/task/run/looks-around', { body });
  assert.equal(refused.status, 404, refused.text);
  assert.match(refused.body.error.message, /session/);
});

test('the caller lays a browser configuration over that of the version', limit, async () => {
  const browserConfiguration = {
    initial_url: `${site.url}/`,
    viewport: { width: 640, height: 480 },
    tags: ['of the version'],
  };
  await deployTask(server, 'configured', looksAround, { browserConfiguration });
  const plain = await outputOf(server, 'configured', { cleanupSessions: false });
  assert.deepEqual([plain.url, plain.viewport], [`${site.url}/`, [640, 480]]);
  const session = await sessionOf(server, plain.sessionId);
  assert.deepEqual(session.tags, ['of the version']);
  assert.equal(session.configuration.browser.headless.active, true, 'as the server is configured');
  await endSession(server, plain.sessionId);

  const overrideBrowserConfiguration = {
    initial_url: `${site.url}/form`,
    tags: ['of the caller'],
    headless: { active: false },
  };
  const body = { overrideBrowserConfiguration, cleanupSessions: false };
  const overridden = await outputOf(server, 'configured', body);
  assert.deepEqual([overridden.url, overridden.viewport], [`${site.url}/form`, [640, 480]]);
  const other = await sessionOf(server, overridden.sessionId);
  assert.deepEqual(other.tags, ['of the caller']);
  assert.equal(other.configuration.browser.headless.active, false);
  await endSession(server, overridden.sessionId);
});

test('sessions that the code opens start from the configuration of the run', limit, async () => {
  await deployTask(server, 'opens-two', opensTwo);
  const overrideBrowserConfiguration = { tags: ['run'], viewport: { width: 640, height: 480 } };
  const [one, other] = await outputOf(server, 'opens-two', { overrideBrowserConfiguration });
  const [own, inherited] = [await sessionOf(server, one), await sessionOf(server, other)];
  assert.deepEqual([own.tags, inherited.tags], [['run'], ['run']]);
  assert.deepEqual(own.configuration.browser.viewport, { width: 333, height: 222 });
  assert.deepEqual(inherited.configuration.browser.viewport, { width: 640, height: 480 });
});
