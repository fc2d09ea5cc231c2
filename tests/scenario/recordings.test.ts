// Recordings as they lie on the disk: what is listed, fetched whole and in parts, and deleted; what
// a start finds of a server that died; and how long they are kept. Rows and files are put into the
// data folder by the tests, in place of a recorder.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../support/eventually.ts';
import { startServer, type Server } from '../support/server.ts';
import { endSession, openSession } from '../support/sessions.ts';
import { quiet } from '../support/settings.ts';
import { mustStandAll } from './matrix.ts';
import { check, play, revokedKey, send } from './scenario.ts';
import { anything, flag, number, type Shape, text, time, uuid } from './shape.ts';

const list = 'GET /v1/sessions/{sessionId}/recordings';
const fetchPrimary = 'GET /v1/sessions/{sessionId}/recordings/primary/fetch';
const fetchOne = 'GET /v1/sessions/{sessionId}/recordings/{recordingId}/fetch';
const timeline = 'GET /v1/sessions/{sessionId}/recordings/{recordingId}/timeline';
const remove = 'DELETE /v1/sessions/{sessionId}/recordings/{recordingId}';

const second = 1000;
const day = 24 * 3600 * second;
const gib = 2 ** 30;
const video = Array.from({ length: 3000 }, (_, i) => `${i} `).join('');

type Row = {
  state: 'recording' | 'finalizing' | 'ready' | 'partial' | 'failed';
  isPrimary?: boolean;
  endedAt?: number;
  bytes?: number;
  note?: string;
};
type At = { sessionId: string; recordingId: string };

let folder = '';
let server: Server;
let keys = { foreign: '', revoked: '' };

/** A data folder in which a server has made its database. */
async function newData(name: string): Promise<string> {
  const data = path.join(folder, name);
  const first = await startServer({ config: quiet(), data });
  await first.stop();
  return data;
}

function withDatabase<T>(data: string, use: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(path.join(data, 'capstan.db'), { timeout: 5000 });
  try {
    return use(database);
  } finally {
    database.close();
  }
}

/** A session of the first team, which has ended if nothing else is said. */
function addSession(data: string, status: 'running' | 'completed' = 'completed'): string {
  const id = randomUUID();
  withDatabase(data, (database) => {
    database
      .prepare(
        `insert into sessions (id, team_id, status, configuration, created_at, ended_at)
         select $id, id, $status, '{}', $now, $ended from teams order by created_at, id limit 1`,
      )
      .run({
        $id: id,
        $status: status,
        $now: Date.now(),
        $ended: status === 'running' ? null : Date.now(),
      });
  });
  return id;
}

function addRow(data: string, sessionId: string, row: Row): At {
  const recordingId = randomUUID();
  const { state, isPrimary = false, bytes = 0, note = '' } = row;
  const hasEnded = state !== 'recording' && state !== 'finalizing';
  const { endedAt = hasEnded ? Date.now() : null } = row;
  withDatabase(data, (database) => {
    database
      .prepare(
        `insert into recordings (id, session_id, team_id, is_primary, state, created_at, ended_at,
           duration_ms, bytes, width, height, note)
         select $id, id, team_id, $primary, $state, $now, $ended, 12034, $bytes, 1440, 900, $note
         from sessions where id = $session`,
      )
      .run({
        $id: recordingId,
        $primary: Number(isPrimary),
        $state: state,
        $now: Date.now(),
        $ended: endedAt,
        $bytes: bytes,
        $note: note,
        $session: sessionId,
      });
  });
  return { sessionId, recordingId };
}

function endRow(data: string, { recordingId }: At): void {
  withDatabase(data, (database) => {
    database
      .prepare(`update recordings set state = 'ready', ended_at = 1 where id = $id`)
      .run({ $id: recordingId });
  });
}

const fileOf = (data: string, { recordingId }: At, ending: string): string =>
  path.join(data, 'recordings', `${recordingId}${ending}`);

/** A ready recording with its files. */
function addReady(data: string, sessionId: string, row: Partial<Row> = {}): At {
  const at = addRow(data, sessionId, { state: 'ready', bytes: video.length, ...row });
  mkdirSync(path.join(data, 'recordings'), { recursive: true });
  writeFileSync(fileOf(data, at, '.mp4'), video);
  writeFileSync(fileOf(data, at, '.json'), '{"events":[]}');
  return at;
}

before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'capstan-recordings-'));
  server = await startServer({ config: quiet(), data: path.join(folder, 'data') });
  keys = { foreign: await server.createKey('foreign'), revoked: await revokedKey(server) };
});
after(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

const item = {
  id: uuid,
  is_primary: flag,
  file_link: text,
  suggested_file_name: /^[\w-]+\.mp4$/,
  duration: '12.034',
  size: number,
  created_at: time,
  status: 'ready',
  width: 1440,
  height: 900,
  note: '',
} satisfies Shape;

test("a session's recordings are listed, and lead to their videos", async () => {
  const sessionId = addSession(server.dataDir);
  const at = { sessionId };
  const none: Shape = { data: { count: 0, items: [anything] } };
  await play(server, { call: list, at, status: 200, shape: none });
  const primary = addReady(server.dataDir, sessionId, { isPrimary: true });
  const other = addRow(server.dataDir, sessionId, { state: 'failed', note: 'the disk was full' });
  const { body } = await play(server, { call: list, at, status: 200 });
  assert.equal(body.data.count, 2);
  const [first, last] = body.data.items;
  const link = `${server.url}/v1/sessions/${sessionId}/recordings/${primary.recordingId}/fetch`;
  assert.deepEqual(
    { ...first, created_at: '' },
    {
      id: primary.recordingId,
      is_primary: true,
      file_link: link,
      suggested_file_name: `session-${sessionId}.mp4`,
      duration: '12.034',
      size: video.length,
      created_at: '',
      status: 'ready',
      width: 1440,
      height: 900,
      note: '',
    },
  );
  assert.equal(last.id, other.recordingId);
  assert.equal(last.is_primary, false);
  assert.equal(last.status, 'failed');
  assert.equal(last.note, 'the disk was full');
  const linked = await server.request('GET', new URL(first.file_link).pathname);
  assert.equal(linked.text, video);
});

test('a video is fetched by id and as the primary one, in one piece or in parts', async () => {
  const sessionId = addSession(server.dataDir);
  const at = addReady(server.dataDir, sessionId, { isPrimary: true });
  for (const call of [fetchPrimary, fetchOne]) {
    const whole = await play(server, { call, at, status: 200 });
    assert.equal(whole.text, video);
    assert.equal(whole.headers['content-type'], 'video/mp4');
    assert.equal(whole.headers['content-length'], `${video.length}`);
    assert.equal(whole.headers['accept-ranges'], 'bytes');
    const name = `inline; filename="session-${sessionId}.mp4"`;
    assert.equal(whole.headers['content-disposition'], name);
    const etag = whole.headers.etag ?? '';
    assert.match(etag, /^"[\w-]+"$/);

    const get = (headers: Record<string, string>, status: number) =>
      send(server, { call, at, headers, status }).then((answer) => {
        assert.equal(answer.status, status, JSON.stringify(headers));
        return answer;
      });
    const part = await get({ range: 'bytes=100-199' }, 206);
    assert.equal(part.text, video.slice(100, 200));
    assert.equal(part.headers['content-range'], `bytes 100-199/${video.length}`);
    assert.equal(part.headers['content-length'], '100');
    assert.equal(part.headers.etag, etag);
    assert.equal((await get({ range: 'bytes=-5' }, 206)).text, video.slice(-5));
    assert.equal((await get({ range: 'bytes=13000-' }, 206)).text, video.slice(13000));
    assert.equal((await get({ 'range': 'bytes=0-9', 'if-range': etag }, 206)).text.length, 10);
    assert.equal((await get({ 'range': 'bytes=0-9', 'if-range': '"x"' }, 200)).text, video);
    assert.equal((await get({ range: 'bytes=0-1,5-6' }, 200)).text, video);
    const beyond = await get({ range: `bytes=${video.length}-` }, 416);
    assert.equal(beyond.headers['content-range'], `bytes */${video.length}`);
    assert.equal(beyond.body.error.code, 416);
    const known = await get({ 'if-none-match': `"x", ${etag}` }, 304);
    assert.equal(known.text, '');
    assert.equal(known.headers.etag, etag);

    const head = await send(server, { call: call.replace('GET', 'HEAD'), at, status: 200 });
    assert.equal(head.status, 200);
    assert.equal(head.text, '');
    assert.equal(head.headers['content-length'], `${video.length}`);
    assert.equal(head.headers.etag, etag);
  }
});

test('a long video arrives whole', async () => {
  const at = addReady(server.dataDir, addSession(server.dataDir));
  const long = video.repeat(3000);
  writeFileSync(fileOf(server.dataDir, at, '.mp4'), long);
  const answer = await play(server, { call: fetchOne, at, status: 200 });
  assert.ok(answer.text === long, `${answer.text.length} of ${long.length} characters are right`);
});

test('a timeline is served as JSON, if there is one', async () => {
  const at = addReady(server.dataDir, addSession(server.dataDir), { isPrimary: true });
  const shape: Shape = { events: [anything] };
  const answer = await play(server, { call: timeline, at, status: 200, shape });
  assert.equal(answer.headers['content-type'], 'application/json');
  const primary = { ...at, recordingId: 'primary' };
  await play(server, { call: timeline, at: primary, status: 200, shape });
  rmSync(fileOf(server.dataDir, at, '.json'));
  await check(server, [{ call: timeline, at, status: 404, says: 'no timeline' }]);
});

test('what is not there, or not any more, is not found', async () => {
  const sessionId = addSession(server.dataDir);
  const failed = addRow(server.dataDir, sessionId, { state: 'failed', note: 'the disk was full' });
  const lost = addRow(server.dataDir, sessionId, { state: 'ready', bytes: 1 });
  const elsewhere = { ...lost, sessionId: addSession(server.dataDir) };
  await check(server, [
    { call: fetchPrimary, at: { sessionId }, status: 404, says: 'has no recording' },
    { call: fetchOne, at: failed, status: 404, says: 'the disk was full' },
    { call: timeline, at: failed, status: 404, says: 'the disk was full' },
    { call: fetchOne, at: lost, status: 404, says: 'has no file' },
    { call: fetchOne, at: elsewhere, status: 404, says: 'has no recording' },
    { call: remove, at: elsewhere, status: 404, says: 'has no recording' },
  ]);
});

test('what goes on must end first', async () => {
  const at = addRow(server.dataDir, addSession(server.dataDir, 'running'), {
    state: 'recording',
    isPrimary: true,
  });
  const says = 'end the session first';
  await check(
    server,
    [fetchPrimary, fetchOne, timeline, remove].map((call) => ({ call, at, status: 409, says })),
  );
});

test('what is made ready is waited for, and not for ever', async () => {
  const soon = addReady(server.dataDir, addSession(server.dataDir), { state: 'finalizing' });
  const never = addReady(server.dataDir, addSession(server.dataDir), { state: 'finalizing' });
  const fetched = play(server, { call: fetchOne, at: soon, status: 200 });
  const late = play(server, { call: fetchOne, at: never, status: 409, says: 'being made ready' });
  await pause(second);
  endRow(server.dataDir, soon);
  assert.equal((await fetched).text, video);
  const removal = await play(server, { call: remove, at: never, status: 409 });
  assert.equal(removal.headers['retry-after'], '2');
  assert.equal((await late).headers['retry-after'], '2');
});

test('a deleted recording is gone with its files, by id or as the primary one', async () => {
  const sessionId = addSession(server.dataDir);
  const primary = addReady(server.dataDir, sessionId, { isPrimary: true });
  const other = addReady(server.dataDir, sessionId);
  const shape = { data: { status: 'success' } };
  await play(server, { call: remove, at: other, status: 200, shape });
  await check(server, [
    { call: remove, at: other, status: 404 },
    { call: fetchOne, at: other, status: 404 },
  ]);
  assert.equal((await play(server, { call: fetchPrimary, at: primary, status: 200 })).text, video);
  const word = { sessionId, recordingId: 'primary' };
  await play(server, { call: remove, at: word, status: 200, shape });
  await check(server, [
    { call: remove, at: word, status: 404 },
    { call: fetchPrimary, at: word, status: 404 },
  ]);
  for (const at of [primary, other]) {
    for (const ending of ['.mp4', '.json']) {
      assert.ok(!existsSync(fileOf(server.dataDir, at, ending)), `${ending} is gone`);
    }
  }
  const { body } = await play(server, { call: list, at: { sessionId }, status: 200 });
  assert.equal(body.data.count, 0);
});

test('every route stands what every route must', async () => {
  const at = addReady(server.dataDir, addSession(server.dataDir), { isPrimary: true });
  const session = { sessionId: at.sessionId };
  await mustStandAll(server, { call: list, at: session }, keys);
  await mustStandAll(server, { call: fetchPrimary, at: session }, keys);
  for (const call of [fetchOne, timeline, remove]) {
    await mustStandAll(server, { call, at }, keys);
  }
  const shape: Shape = { data: { count: 1, items: [{ ...item, id: at.recordingId }] } };
  await play(server, { call: list, at: session, status: 200, shape });
  await play(server, { call: fetchPrimary, at: session, status: 200 });
});

test('a start keeps what a dead server left as far as it goes, and removes strays', async (t) => {
  const data = await newData('left-over');
  const sessionId = addSession(data);
  const begun = addRow(data, sessionId, { state: 'recording', isPrimary: true });
  const absent = addRow(data, sessionId, { state: 'finalizing' });
  const moved = addRow(data, sessionId, { state: 'finalizing' });
  writeFileSync(fileOf(data, moved, '.mp4'), video); // the server died before it could say so
  const ready = addReady(data, sessionId);
  const film = 'begun'.repeat(500); // no video, so it can't be made a better one
  writeFileSync(fileOf(data, begun, '.part.mp4'), film);
  for (const ending of ['.mp4', '.part.mp4', '.json']) {
    writeFileSync(fileOf(data, { sessionId, recordingId: randomUUID() }, ending), 'stray');
  }
  const next = await startServer({ config: quiet(), data });
  t.after(() => next.stop());
  const told = await eventually(
    'all have ended',
    async () => {
      const { body } = await play(next, { call: list, at: { sessionId }, status: 200 });
      const hasEnded = ({ status }: any) => status !== 'recording' && status !== 'finalizing';
      const items: any[] = body.data.items;
      return items.every(hasEnded) && Object.fromEntries(items.map((each) => [each.id, each]));
    },
    20_000,
  );
  assert.equal(told[begun.recordingId].status, 'partial');
  assert.equal(told[begun.recordingId].size, 2_500);
  assert.match(told[begun.recordingId].note, /server died/);
  assert.equal(told[absent.recordingId].status, 'failed');
  for (const { recordingId } of [moved, ready]) assert.equal(told[recordingId].status, 'ready');
  assert.equal((await play(next, { call: fetchOne, at: moved, status: 200 })).text, video);
  assert.equal((await play(next, { call: fetchPrimary, at: begun, status: 200 })).text, film);
  await check(next, [{ call: fetchOne, at: absent, status: 404, says: 'server died' }]);
  assert.deepEqual(
    readdirSync(path.join(data, 'recordings')).toSorted(),
    [
      `${begun.recordingId}.mp4`,
      `${moved.recordingId}.mp4`,
      `${ready.recordingId}.json`,
      `${ready.recordingId}.mp4`,
    ].toSorted(),
  );
});

test('recordings are kept for some days, and as many as there is room for', async () => {
  const data = await newData('kept');
  const sessionId = addSession(data);
  const ended = (daysAgo: number, bytes: number): At =>
    addReady(data, sessionId, { endedAt: Date.now() - daysAgo * day, bytes });
  const old = ended(5.1, 100);
  const tooMuch = ended(4, 2 * gib);
  const kept = [ended(3, 1 * gib), ended(2, 1 * gib)];
  const config = quiet({ recordings: { days: 5, gib_max: 2 } });
  const next = await startServer({ config, data });
  const ids = async (): Promise<string[]> => {
    const { body } = await play(next, { call: list, at: { sessionId }, status: 200 });
    return body.data.items.map((each: any) => each.id).toSorted();
  };
  const wanted = kept.map(({ recordingId }) => recordingId).toSorted();
  const isSwept = async (): Promise<boolean> =>
    (await ids()).length === 2 && !existsSync(fileOf(data, tooMuch, '.json'));
  await eventually('the sweep of the start is over', isSwept, 5 * second);
  assert.deepEqual(await ids(), wanted);
  for (const at of [old, tooMuch]) assert.ok(!existsSync(fileOf(data, at, '.mp4')));
  for (const at of kept) assert.ok(existsSync(fileOf(data, at, '.mp4')));
  await next.stop();
});

for (const [call, status] of [
  ['POST /v1/sessions/{sessionId}/recordings/pause', 'paused'],
  ['POST /v1/sessions/{sessionId}/recordings/resume', 'recording'],
] as const) {
  test(call, async () => {
    const { id: sessionId } = await openSession(server);
    const at = { sessionId };
    const shape: Shape = { data: { data: { status } } };
    await check(server, [
      { call, at, status: 200, shape },
      { call, at, status: 200, shape, about: 'again' },
    ]);
    await mustStandAll(server, { call, at }, keys);
    await endSession(server, sessionId);
    await check(server, [{ call, at, status: 404, says: 'has ended' }]);
  });
}
