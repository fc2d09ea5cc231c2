// The life of a task's versions: draft, deploy, numbers, deletes, and what "latest" means.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Answer } from '../support/requests.ts';
import { startServer } from '../support/server.ts';
import { quiet } from '../support/settings.ts';
import { base64 } from '../support/tasks.ts';
import { check, play, type Scenario } from './scenario.ts';

const server = await startServer({ config: quiet() });
after(() => server.stop());

const code = (value: number): string => base64(`export default async () => ${value};\n`);

/** A task of its own for each story, with the calls that the stories are made of. */
class Story {
  readonly at: { taskId: string; taskVersion?: string };

  constructor(taskId: string) {
    this.at = { taskId };
  }

  static async begin(name: string, body: object = {}): Promise<Story> {
    const whole = { name, language: 'typescript', ...body };
    const made = await play(server, { call: 'POST /v1/task', body: whole, status: 200 });
    return new Story(made.body.data.id);
  }

  row(method: string, rest: string, body: object | undefined, status: number): Scenario {
    const given = body === undefined ? {} : { body };
    return { call: `${method} /v1/task/{taskId}${rest}`, at: this.at, ...given, status };
  }

  get(rest: string, status = 200): Promise<Answer> {
    return play(server, this.row('GET', rest, undefined, status));
  }

  post(rest: string, body: object, status = 200): Promise<Answer> {
    return play(server, this.row('POST', rest, body, status));
  }

  remove(rest: string, status = 200): Promise<Answer> {
    return play(server, this.row('DELETE', rest, undefined, status));
  }

  /** What the task calls its latest version; '' when it has none. */
  async latest(): Promise<string> {
    return (await this.get('')).body.data.latest;
  }

  async versions(): Promise<string[]> {
    const { body } = await this.get('/versions');
    return body.data.versions.map((each: { version: string }) => each.version);
  }
}

test('a task without a version has no latest, no draft, and nothing to deploy or run', async () => {
  const story = await Story.begin('bare');
  assert.equal(await story.latest(), '');
  assert.deepEqual(await story.versions(), []);
  const { taskId } = story.at;
  await check(server, [
    story.row('GET', '/latest', undefined, 404),
    story.row('GET', '/draft', undefined, 404),
    story.row('GET', '/1', undefined, 404),
    story.row('DELETE', '/latest', undefined, 404),
    story.row('DELETE', '/draft', undefined, 404),
    { ...story.row('POST', '/deploy', {}, 400), says: 'code' },
    { ...story.row('POST', '/1', {}, 400), says: 'code' },
    { ...story.row('POST', '/draft', {}, 400), says: 'code' },
    { call: 'POST /v1/task/run', body: { taskId }, status: 404 },
    { call: 'POST /v1/task/run/bare', body: {}, status: 404 },
  ]);
});

test('the draft is latest until something is published', async () => {
  const story = await Story.begin('life', { code: code(1) });
  assert.equal(await story.latest(), 'draft');
  assert.equal((await story.get('/latest')).body.data.version, 'draft');

  const first = await story.post('/deploy', {});
  assert.equal(first.body.data.version, '1');
  assert.equal(first.body.data.code, code(1), 'deploy without code publishes the draft');
  assert.equal(await story.latest(), '1');

  await story.post('/draft', { code: code(2) });
  assert.equal(await story.latest(), '1', 'a new draft is no publication');
  assert.equal((await story.get('/1')).body.data.code, code(1), 'nor does it change one');
  assert.deepEqual(await story.versions(), ['draft', '1']);

  const second = await story.post('/deploy', { code: code(3) });
  assert.equal(second.body.data.version, '2');
  assert.equal((await story.get('/latest')).body.data.code, code(3));
  assert.equal((await story.get('/draft')).body.data.code, code(2), 'the draft is as it was');
  assert.deepEqual(await story.versions(), ['draft', '2', '1']);
});

test('a version may be published under a chosen number, above all others', async () => {
  const story = await Story.begin('numbers');
  assert.equal((await story.post('/5', { code: code(5) })).body.data.version, '5');
  assert.equal(await story.latest(), '5');
  await check(server, [
    { ...story.row('POST', '/5', { code: code(6) }, 409), about: 'its code would change' },
    { ...story.row('POST', '/3', { code: code(3) }, 409), about: 'a number passed over' },
    { ...story.row('POST', '/6', {}, 400), about: 'no code', says: 'code' },
  ]);
  const told = await story.post('/5', { code: code(5), description: 'the fifth' });
  assert.equal(told.body.data.description, 'the fifth', 'what is told of it may change');
  assert.equal((await story.post('/5', {})).body.data.description, 'the fifth');
  assert.equal((await story.post('/deploy', { code: code(6) })).body.data.version, '6');
});

test('a version is draft, latest or a number from 1', async () => {
  const story = await Story.begin('selectors', { code: code(1) });
  await story.post('/deploy', {});
  const selectors = [
    '0',
    '-1',
    '01',
    '+1',
    '1.0',
    '1e0',
    '0x1',
    '%201',
    'v1',
    'Draft',
    'LATEST',
  ].concat(['one', '9223372036854775808', '%F0%9F%98%80', '1%3B', 'x'.repeat(5_000)]);
  const rows = selectors.flatMap((selector) => [
    story.row('GET', `/${selector}`, undefined, 400),
    story.row('POST', `/${selector}`, { code: code(1) }, 400),
    story.row('DELETE', `/${selector}`, undefined, 400),
  ]);
  await check(server, [
    ...rows,
    { ...story.row('POST', '/latest', { code: code(1) }, 400), says: 'number' },
    story.row('GET', '/2', undefined, 404),
    story.row('DELETE', '/2', undefined, 404),
    story.row('GET', '/99999', undefined, 404),
  ]);
});

test('latest falls back when versions are deleted, and numbers never come again', async () => {
  const story = await Story.begin('deletes', { code: code(0) });
  for (const value of [1, 2, 3]) await story.post('/deploy', { code: code(value) });

  await story.remove('/2');
  assert.equal(await story.latest(), '3');
  await story.get('/2', 404);
  await story.remove('/2', 404);
  await story.post('/2', { code: code(2) }, 409);

  await story.remove('/3');
  assert.equal(await story.latest(), '1');
  assert.equal((await story.get('/latest')).body.data.code, code(1));
  assert.equal((await story.post('/deploy', { code: code(4) })).body.data.version, '4');

  await story.remove('/latest');
  assert.equal(await story.latest(), '1', 'deleting "latest" deletes what it stands for');
  await story.remove('/1');
  assert.equal(await story.latest(), 'draft', 'with no number left it is the draft');
  await story.remove('/draft');
  assert.equal(await story.latest(), '');
  assert.deepEqual(await story.versions(), []);
  await story.get('/latest', 404);
  assert.equal((await story.post('/deploy', { code: code(5) })).body.data.version, '5');
});

test('deploys at once get a number each', async () => {
  const story = await Story.begin('race', { code: code(0) });
  const deployed = await Promise.all(
    Array.from({ length: 12 }, (_, i) => story.post('/deploy', { code: code(i) })),
  );
  const numbers = deployed.map(({ body }) => Number(body.data.version));
  const expected = Array.from({ length: 12 }, (_, i) => i + 1);
  assert.deepEqual(
    numbers.toSorted((a, b) => a - b),
    expected,
  );
  for (const [i, number] of numbers.entries()) {
    assert.equal((await story.get(`/${number}`)).body.data.code, code(i), 'each with its own code');
  }
});

test('a version keeps its description and configuration, or takes those of the draft', async () => {
  const browserConfiguration = { tags: ['a'], timeout: { max_duration: 7 } };
  const story = await Story.begin('configured', { code: code(1) });
  await story.post('/draft', { code: code(1), description: 'draft', browserConfiguration });
  const first = (await story.post('/deploy', {})).body.data;
  assert.equal(first.description, 'draft');
  assert.deepEqual(first.browserConfiguration, browserConfiguration);
  const own = { description: 'own', browserConfiguration: { tags: ['b'] } };
  const second = (await story.post('/deploy', own)).body.data;
  assert.equal(second.code, code(1));
  assert.equal(second.description, 'own');
  assert.deepEqual(second.browserConfiguration, { tags: ['b'] });
  assert.deepEqual((await story.get('/1')).body.data.browserConfiguration, browserConfiguration);
});

test('a configuration is checked where it is stored', async () => {
  const story = await Story.begin('checked', { code: code(1) });
  const row = (rest: string, browserConfiguration: object, says: string): Scenario => ({
    ...story.row('POST', rest, { code: code(2), browserConfiguration }, 400),
    says,
  });
  await check(server, [
    row('/deploy', { timeout: { idle_timeout: 0 } }, 'browserConfiguration.timeout.idle_timeout'),
    row('/draft', { initial_url: 'file:///etc/passwd' }, 'browserConfiguration.initial_url'),
    row('/1', { tags: [1] }, 'browserConfiguration.tags'),
    row('/deploy', { proxy: { type: 'custom' } }, 'browserConfiguration.proxy.password'),
    row(
      '/deploy',
      { live_view: { one_time_url: 1 } },
      'browserConfiguration.live_view.one_time_url',
    ),
  ]);
});
