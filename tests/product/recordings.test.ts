// Recordings of what tasks show, fetched as users fetch them, and looked at.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../support/eventually.ts';
import { Anchorbrowser } from '../support/packages.ts';
import { openPage } from '../support/pages.ts';
import { encodersOf } from '../support/processes.ts';
import { recordingHasEnded } from '../support/recordings.ts';
import { startServer } from '../support/server.ts';
import { endSession, openSession, sessionOf } from '../support/sessions.ts';
import { startSite } from '../support/site.ts';
import { deployTask, runTask } from '../support/tasks.ts';
import { colourAt, coloursOf, isNear, playToTheEnd, probeVideo } from '../support/video.ts';

const server = await startServer();
after(() => server.stop());
const client = new Anchorbrowser({ baseURL: server.url, apiKey: server.key });
const limit = { timeout: 120_000 };

/** Shows one colour after the other, for a second each, and tells since when. */
const paints = `
  import AnchorBrowser from 'anchorbrowser';
  import { setTimeout as pause } from 'node:timers/promises';
  export default async () => {
    const browser = await new AnchorBrowser().browser.connect(process.env.ANCHOR_SESSION_ID!);
    const page = browser.contexts()[0]!.pages()[0]!;
    const shown = [];
    for (const colour of [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0]]) {
      await page.evaluate(\`document.body.style.background = 'rgb(\${colour})';
        new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted)))\`);
      shown.push({ colour, since: Date.now() });
      await pause(1000);
    }
    await browser.close();
    return shown;
  };`;

type Shown = { colour: number[]; since: number };
type Item = { id: string; created_at: string; duration: string; size: number; status: string };

/** The recording of that session, once it can be fetched, and its file. */
async function fetchRecording(id: string): Promise<{ item: Item; file: string }> {
  const video = await client.sessions.recordings.primary.get(id);
  assert.equal(video.headers.get('content-type'), 'video/mp4');
  const file = path.join(server.scratch, `${id}.mp4`);
  writeFileSync(file, Buffer.from(await video.arrayBuffer()));
  const { data } = await client.sessions.recordings.list(id);
  assert.equal(data?.count, 1);
  const [item] = data?.items as unknown as Item[];
  assert.ok(item);
  return { item, file };
}

for (const kind of ['headful', 'headless'] as const) {
  test(`a ${kind} task's recording shows what its page showed, when it did`, limit, async () => {
    await deployTask(server, `paints-${kind}`, paints);
    const overrideBrowserConfiguration = { headless: { active: kind === 'headless' } };
    const body = { overrideBrowserConfiguration };
    const { success, output, error, executionResultId } = await runTask(server, `paints-${kind}`, body);
    assert.ok(success, error);
    const executions = await client.get<any>(`/v1/task/${await taskId(`paints-${kind}`)}/executions`);
    const [execution] = executions.data.results ?? executions.data;
    const [id] = execution.sessionIds;
    assert.ok(id, `${executionResultId} has a session`);

    const { item, file } = await fetchRecording(id);
    assert.equal(item.status, 'ready');
    const video = probeVideo(file);
    const session = await sessionOf(server, id);
    const begun = Date.parse(item.created_at);
    const lived = (Date.parse(session.ended_at) - begun) / 1000;
    assert.equal(video.codec, 'h264');
    assert.deepEqual([video.width, video.height], kind === 'headful' ? [1440, 988] : [1440, 900]);
    assert.ok(Math.abs(video.seconds - lived) < 1, `${video.seconds} s of ${lived} s`);
    assert.ok(Math.abs(Number(item.duration) - video.seconds) < 0.1, item.duration);
    assert.ok(video.frames.length < 60, `${video.frames.length} frames of what hardly moves`);
    for (const { colour, since } of output as Shown[]) {
      const seconds = (since - begun) / 1000 + 0.7;
      const seen = colourAt(file, seconds);
      assert.ok(isNear(seen, colour), `at ${seconds} s ${seen} instead of ${colour}`);
    }
    assert.ok(Math.abs((await playToTheEnd(file)) - video.seconds) < 0.5);
  });
}

async function taskId(name: string): Promise<string> {
  const { data } = await client.task.list();
  const task = data?.tasks?.find((one: any) => one.name === name) as any;
  assert.ok(task, `there is a task ${name}`);
  return task.id;
}

test('a session that wants no recording has none', limit, async () => {
  const body = { session: { recording: { active: false } } };
  const { id } = await openSession(server, { body });
  const paused = await server.request('POST', `/v1/sessions/${id}/recordings/pause`);
  assert.equal(paused.status, 400, paused.text);
  assert.match(paused.text, /is not recorded/);
  await endSession(server, id);
  assert.equal((await client.sessions.recordings.list(id)).data?.count, 0);
  const fetched = await server.request('GET', `/v1/sessions/${id}/recordings/primary/fetch`);
  assert.equal(fetched.status, 404, fetched.text);
});

test('a recording can not be fetched before its session has ended, and not deleted', limit, async () => {
  const { id } = await openSession(server);
  const place = `/v1/sessions/${id}/recordings/primary`;
  for (const [method, where] of [['GET', `${place}/fetch`], ['DELETE', place]] as const) {
    const answer = await eventually(`${method} ${where} finds it`, async () => {
      const asked = await server.request(method, where);
      return asked.status !== 404 && asked;
    }, 5_000);
    assert.equal(answer.status, 409, answer.text);
    assert.match(answer.text, /end the session first/);
  }
  await endSession(server, id);
  const { file } = await fetchRecording(id);
  assert.ok(probeVideo(file).frames.length > 0);
  const deleted = await server.request('DELETE', place);
  assert.equal(deleted.status, 200, deleted.text);
  assert.equal((await client.sessions.recordings.list(id)).data?.count, 0);
});

test('what is paused is left out', limit, async () => {
  const { id } = await openSession(server);
  const place = `/v1/sessions/${id}/recordings`;
  const isThere = async () => (await server.request('GET', place)).body.data.count === 1;
  await eventually('it is recorded', isThere, 5_000);
  const begun = performance.now();
  const paused = await server.request('POST', `${place}/pause`);
  assert.equal(paused.body.data.data.status, 'paused', paused.text);
  await eventually('4 s have passed', () => performance.now() - begun > 4_000, 10_000);
  const resumed = await server.request('POST', `${place}/resume`);
  assert.equal(resumed.body.data.data.status, 'recording', resumed.text);
  await endSession(server, id);
  const { file } = await fetchRecording(id);
  const { seconds } = probeVideo(file);
  assert.ok(seconds < 3, `${seconds} s`);
});

test('what a page shows and says while it is paused is not recorded', limit, async () => {
  for (const kind of ['headful', 'headless'] as const) {
    const { id, browser, page } = await openPage(server, {
      browser: { headless: { active: kind === 'headless' } },
    });
    const place = `/v1/sessions/${id}/recordings`;
    const show = async (colour: string): Promise<void> => {
      await page.evaluate(`console.error('shows ${colour}'),
        document.body.style.background = '${colour}', 0`);
      await pause(1_000); // of film
    };
    const isThere = async () => (await server.request('GET', place)).body.data.count === 1;
    await eventually('it is recorded', isThere, 5_000);
    await show('rgb(255, 0, 0)');
    await server.request('POST', `${place}/pause`);
    await show('rgb(0, 0, 255)');
    await page.evaluate(`document.body.style.background = 'rgb(0, 255, 0)'`);
    await pause(300);
    await server.request('POST', `${place}/resume`);
    await pause(1_000);
    await server.request('POST', `${place}/pause`);
    await show('rgb(0, 0, 255)');
    await browser.close();
    await endSession(server, id);
    const { item, file } = await fetchRecording(id);
    const timeline = await server.request('GET', `${place}/${item.id}/timeline`);
    assert.match(timeline.text, /shows rgb\(255, 0, 0\)/);
    assert.doesNotMatch(timeline.text, /shows rgb\(0, 0, 255\)/);
    const seen = coloursOf(file);
    const isShown = (colour: number[]) => seen.some((each) => isNear(each, colour));
    assert.ok(isShown([255, 0, 0]), `${kind}: red is in ${seen.join(' ')}`);
    assert.ok(isShown([0, 255, 0]), `${kind}: green is in ${seen.join(' ')}`);
    assert.ok(!isShown([0, 0, 255]), `${kind}: blue is in ${seen.join(' ')}`);
  }
});

test('a timeline tells what happened when', limit, async (t) => {
  const site = await startSite();
  t.after(() => site.stop());
  await deployTask(
    server,
    'happens',
    `import AnchorBrowser from 'anchorbrowser';
    import { setTimeout as pause } from 'node:timers/promises';
    export default async () => {
      const browser = await new AnchorBrowser().browser.connect(process.env.ANCHOR_SESSION_ID!);
      const context = browser.contexts()[0]!;
      const page = context.pages()[0]!;
      await pause(1500);
      console.log('now it goes to the form');
      const since = Date.now();
      await page.goto('${site.url}/form');
      await page.evaluate("console.error('no', { good: 1 }, '\\\\ud83d'); setTimeout(() => { throw new Error('at all') })");
      await pause(500);
      const other = await context.newPage();
      await other.goto('${site.url}/nowhere');
      await pause(1500);
      await other.close();
      await pause(1500);
      await browser.close();
      console.log('and that is all');
      return since;
    };`,
  );
  for (const kind of ['headful', 'headless'] as const) {
    const body = { overrideBrowserConfiguration: { headless: { active: kind === 'headless' } } };
    const { success, output: since, error } = await runTask(server, 'happens', body);
    assert.ok(success, error);
    const executions = await client.get<any>(`/v1/task/${await taskId('happens')}/executions`);
    const [execution] = executions.data.results ?? executions.data;
    const [id] = execution.sessionIds;
    const { item } = await fetchRecording(id);
    const place = `/v1/sessions/${id}/recordings/${item.id}/timeline`;
    const answer = await server.request('GET', place);
    assert.equal(answer.status, 200, answer.text);
    const { marks, left_out: leftOut } = answer.body;
    assert.equal(leftOut, 0);
    const of = (type: string): any[] => marks.filter((mark: any) => mark.type === type);
    const [form] = of('navigation').filter(({ url }) => url === `${site.url}/form`);
    const expected = ((since as number) - Date.parse(item.created_at)) / 1000;
    assert.ok(Math.abs(form.time - expected) < 1, `${form.time} s instead of ${expected} s`);
    assert.deepEqual(of('log').map(({ stream, text }) => [stream, text]), [
      ['stdout', 'now it goes to the form'],
      ['stdout', 'and that is all'],
    ]);
    assert.ok(of('log')[0].time <= form.time);
    const errors = of('console_error').map(({ text }) => text);
    assert.ok(errors.some((text) => /^no .*\ufffd$/.test(text)), errors.join('; '));
    assert.ok(errors.some((text) => /Uncaught Error: at all/.test(text)), errors.join('; '));
    assert.equal(of('tab_opened').length, 2);
    assert.equal(of('tab_closed').length, 1);
    const [opened, closed] = [of('tab_opened')[1], of('tab_closed')[0]];
    assert.equal(opened.tab, closed.tab);
    assert.ok(form.time < opened.time && opened.time + 1 < closed.time);
    const shown = of('tab_shown').map(({ tab }) => tab);
    const [first] = of('tab_opened');
    const expectedTabs = kind === 'headless' ? [first.tab, opened.tab, first.tab] : [];
    assert.deepEqual(shown, expectedTabs, JSON.stringify(marks));
    const times = marks.map(({ time }: any) => time);
    assert.deepEqual(times, times.toSorted((a: number, b: number) => a - b));
  }
});

test('at the level standard a recording is ready, too', limit, async (t) => {
  const guarded = await startServer({
    config: '[isolation]\nmaximum = "standard"\nminimum = "none"\n',
  });
  t.after(() => guarded.stop());
  const { id } = await openSession(guarded, { body: { browser: { headless: { active: true } } } });
  const isRecorded = () => encodersOf(guarded.pid).length > 0;
  await eventually('it is recorded', isRecorded, 10_000);
  await endSession(guarded, id);
  const { status, note } = await recordingHasEnded(guarded, id);
  assert.equal(status, 'ready', note);
});

test('a recording that is over can not be paused', limit, async () => {
  const { id } = await openSession(server);
  const isRecorded = () => encodersOf(server.pid).length > 0;
  await eventually('it is recorded', isRecorded, 10_000);
  for (const { pid } of encodersOf(server.pid)) process.kill(pid, 'SIGKILL');
  const place = `/v1/sessions/${id}/recordings/pause`;
  const refused = async () => {
    const answer = await server.request('POST', place);
    return answer.status !== 200 && answer;
  };
  const answer = await eventually('it is refused', refused, 10_000);
  assert.equal(answer.status, 409, answer.text);
  assert.match(answer.text, /has ended/);
  await endSession(server, id);
  const { status, note } = await recordingHasEnded(server, id);
  assert.ok(status === 'partial' || status === 'failed', status);
  assert.match(note, /signal 9/);
});

test('a recording with a screen of another size has that size', limit, async () => {
  const body = { browser: { viewport: { width: 801, height: 600 } }, session: {} };
  const { id } = await openSession(server, { body });
  await endSession(server, id);
  const { file } = await fetchRecording(id);
  const { width, height } = probeVideo(file);
  assert.deepEqual([width, height], [802, 688]);
});

test('a machine without Xvfb and ffmpeg gives sessions all the same, and says what they lack', limit, async (t) => {
  const poor = await startServer({
    config: '[browser]\nxvfb = "/no/Xvfb"\n[recordings]\nffmpeg = "/no/ffmpeg"\n',
  });
  t.after(() => poor.stop());
  const session = (await openSession(poor)) as any;
  assert.deepEqual(session.warnings, [
    'the browser runs without showing its window: there is no /no/Xvfb',
    'the session is not recorded: there is no /no/ffmpeg',
  ]);
  const list = await poor.request('GET', `/v1/sessions/${session.id}/recordings`);
  assert.equal(list.body.data.count, 0);
  await endSession(poor, session.id);
});
