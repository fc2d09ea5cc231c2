// What the documents of AnchorBrowser promise to users of its SDK, with that SDK as npm has it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { Anchorbrowser } from '../support/packages.ts';
import { root, startServer } from '../support/server.ts';
import { startSite } from '../support/site.ts';
import { base64, endStates, executionIn } from '../support/tasks.ts';

const server = await startServer();
const site = await startSite();
after(() => site.stop());
after(() => server.stop());

const client = new Anchorbrowser({ baseURL: server.url, apiKey: server.key });
const limit = { timeout: 60_000 };
const unknown = '00000000-0000-4000-8000-000000000000';

const example = readFileSync(path.join(root, 'examples/page-title.ts'), 'utf8');
const shown = {
  title: 'The harbour',
  text: 'The harbour\n\nThree ships are in.',
  words: 6,
};

/** What `client.post` and `client.get` answer, for the operations that have no method. */
type Data<T> = { data: T };
type RunResult = {
  success: boolean;
  async: boolean;
  message: string;
  taskId: string;
  executionTime?: number;
  output?: string;
  error?: string;
  executionResultId?: string;
};

async function deploy(name: string, code: string): Promise<string> {
  const created = await client.task.create({ name, language: 'typescript', code: base64(code) });
  const { id = '' } = created.data ?? {};
  await client.post(`/v1/task/${id}/deploy`, { body: {} });
  return id;
}

async function runByName(name: string, body: object): Promise<RunResult> {
  const { data } = await client.post<Data<RunResult>>(`/v1/task/run/${name}`, { body });
  return data;
}

test('a task is created, changed, deployed and listed', limit, async () => {
  const first = base64('export default async () => "first";');
  const { data: created } = await client.task.create({
    name: 'listed',
    language: 'typescript',
    code: first,
    description: 'to be listed',
  });
  assert.ok(created);
  assert.equal(created.name, 'listed');
  assert.equal(created.latestVersion, 'draft');
  assert.equal(created.code, first);
  assert.equal(created.deleted, false);

  const second = base64('export default async () => "second";');
  const change = { name: 'listed', language: 'typescript', code: second } as const;
  const changed = await client.task.create(change);
  assert.equal(changed.data?.id, created.id, 'the same name is the same task');

  type Version = { version: string; code: string; taskId: string };
  const deployed = await client.post<Data<Version>>(`/v1/task/${created.id}/deploy`, { body: {} });
  assert.equal(deployed.data.version, '1');
  assert.equal(deployed.data.code, second);
  assert.equal(deployed.data.taskId, created.id);

  await client.task.create({ name: 'listed-later', language: 'typescript' });
  const { data: list } = await client.task.list({ page: '1', limit: '2' });
  assert.deepEqual(
    list?.tasks.map(({ name, latestVersion }) => [name, latestVersion]),
    [
      ['listed-later', ''],
      ['listed', '1'],
    ],
    'newest first',
  );
  assert.equal(list.total, 2);
  const { data: secondPage } = await client.task.list({ page: '2', limit: '1' });
  assert.deepEqual(secondPage?.tasks.map(({ name }) => name), ['listed']);
});

test('the documented form of a task runs by name in a session of its own', limit, async () => {
  const taskId = await deploy('page-title', example);
  const result = await runByName('page-title', { inputs: { ANCHOR_PAGE_URL: `${site.url}/` } });
  assert.equal(result.success, true, result.error);
  assert.equal(result.async, false);
  assert.equal(result.message, 'Task execution completed successfully');
  assert.equal(result.taskId, taskId);
  assert.ok(result.executionTime !== undefined && result.executionTime > 0);
  assert.equal(result.error, undefined);
  assert.deepEqual(JSON.parse(result.output ?? ''), shown);
});

test('the documented form of a task runs in a session handed in', limit, async () => {
  await deploy('page-title', example);
  const session = await client.sessions.create();
  const sessionId = session.data?.id ?? '';
  const inputs = { ANCHOR_PAGE_URL: `${site.url}/` };
  const result = await runByName('page-title', { sessionId, inputs });
  assert.deepEqual(JSON.parse(result.output ?? result.error ?? ''), shown);

  const browser = await client.browser.connect(sessionId);
  const pages = browser.contexts()[0]?.pages() ?? [];
  assert.deepEqual(pages.map((page) => page.url()), [`${site.url}/`], 'that page is open there');
  await browser.close();
  await client.sessions.delete(sessionId);
});

test('the documented form of a task opens a session where there is none', limit, async () => {
  const taskId = await deploy('page-title', example);
  const inputs = { ANCHOR_PAGE_URL: `${site.url}/`, ANCHOR_SESSION_ID: '' };
  const result = await runByName('page-title', { inputs });
  assert.deepEqual(JSON.parse(result.output ?? result.error ?? ''), shown);

  const execution = await client.get<Data<{ sessionIds: string[] }>>(
    `/v1/task/${taskId}/executions/${result.executionResultId}`,
  );
  const [opened = ''] = execution.data.sessionIds;
  const session = await client.sessions.retrieve(opened);
  assert.equal(session.data?.status, 'completed', 'what the code opened is ended with the run');
});

test('a run by id, of the draft and without waiting, is found later', limit, async () => {
  const code = 'export default async () => process.env.ANCHOR_WORD + "!";';
  const taskId = await deploy('by-id', code);
  const inputs = { ANCHOR_WORD: 'ahoy' };
  const published = await client.task.run({ taskId, version: '1', inputs });
  assert.equal(published.data?.output, '"ahoy!"', published.data?.error);

  await client.task.create({
    name: 'by-id',
    language: 'typescript',
    code: base64(code.replace('!', '?')),
  });
  const draft = await client.task.run({ taskId, version: 'draft', inputs });
  assert.equal(draft.data?.output, '"ahoy?"', draft.data?.error);
  const latest = await client.task.run({ taskId, inputs });
  assert.equal(latest.data?.output, '"ahoy!"', 'latest is what was deployed');

  const started = await client.task.run({ taskId, inputs, async: true });
  const { executionResultId: executionId = '', ...rest } = started.data as RunResult;
  assert.deepEqual(rest, {
    success: true,
    async: true,
    message: 'Task execution started',
    taskId,
  });
  await executionIn(server, taskId, executionId, endStates);
  const { data: execution } = await client.task.retrieveExecutionResult(executionId, { taskId });
  assert.equal(execution?.status, 'success');
  assert.equal(execution.output, '"ahoy!"');
  assert.equal(execution.version, '1');
});

test('sessions are created, looked at and deleted', limit, async () => {
  const created = await client.sessions.create({
    session: { initial_url: `${site.url}/form`, timeout: { max_duration: 3, idle_timeout: 2 } },
    browser: { headless: { active: true } },
  });
  const { id = '', cdp_url: address } = created.data ?? {};
  assert.match(address ?? '', new RegExp(`^${server.url.replace('http', 'ws')}/\\?`));
  const { data: session } = await client.sessions.retrieve(id);
  assert.equal(session?.session_id, id);
  assert.equal(session.status, 'running');

  await client.sessions.delete(id);
  await client.sessions.delete(id); // for its owner, that is a success again
  assert.equal((await client.sessions.retrieve(id)).data?.status, 'completed');
  await assert.rejects(client.sessions.retrieve(unknown), Anchorbrowser.NotFoundError);
});

test('all sessions are told, and deleted together', limit, async () => {
  const ids = [];
  for (let count = 0; count < 3; ++count) {
    const created = await client.sessions.create({ browser: { headless: { active: true } } });
    ids.push(created.data?.id);
  }
  const { data: before } = await client.sessions.all.status();
  assert.equal(before?.count, 3);
  assert.deepEqual(new Set(before.items?.map((item) => item.session_id)), new Set(ids));
  assert.ok(before.items?.every((item) => item.status === 'running'));

  await client.sessions.all.delete();
  const { data: later } = await client.sessions.all.status();
  assert.equal(later?.count, 0);
  assert.deepEqual(later.items, []);
});

test('browser.create() and browser.connect() give a browser to work with', limit, async () => {
  const browser = await client.browser.create({
    sessionOptions: { browser: { headless: { active: true } } },
  });
  const page = browser.contexts()[0]?.pages()[0];
  assert.ok(page, 'there is one page from the start');
  await page.goto(`${site.url}/form`);
  await page.getByLabel('Name').fill('Ada');
  await page.getByRole('button').click();
  assert.equal(await page.locator('#greeting').innerText(), 'Hello, Ada');

  const { data } = await client.sessions.all.status();
  const id = data?.items?.[0]?.session_id ?? '';
  const again = await client.browser.connect(id);
  const samePage = again.contexts()[0]?.pages()[0];
  assert.equal(await samePage?.locator('#greeting').innerText(), 'Hello, Ada');
  await again.close();
  await browser.close();
  assert.equal((await client.sessions.retrieve(id)).data?.status, 'running');
  await client.sessions.delete(id);
});

test('the SDK understands our refusals', limit, async () => {
  const { NotFoundError, BadRequestError, AuthenticationError } = Anchorbrowser;
  const stranger = new Anchorbrowser({ baseURL: server.url, apiKey: 'no-such-key' });
  await assert.rejects(stranger.task.list(), AuthenticationError);
  await assert.rejects(client.post('/v1/task/run/no-such-task', { body: {} }), NotFoundError);
  await assert.rejects(client.task.run({ taskId: unknown }), NotFoundError);
  await assert.rejects(client.task.list({ limit: '0' }), BadRequestError);
});
