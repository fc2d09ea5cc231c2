// What a client may say to a session's browser: commands that are none, sessions that aren't there,
// and what only the server decides.
import assert from 'node:assert/strict';
import { after, afterEach, beforeEach, test } from 'node:test';
import { startServer } from '../support/server.ts';
import { RawWebSocket } from '../support/raw_websocket.ts';
import { openSession } from '../support/sessions.ts';
import { quiet } from '../support/settings.ts';
import { play } from './scenario.ts';

const server = await startServer({ config: quiet() });
after(() => server.stop());
const { id: sessionId, cdp_url: address } = await openSession(server);
const path = new URL(address).pathname + new URL(address).search;
let client: RawWebSocket;
beforeEach(async () => (client = await RawWebSocket.open(server.url, path)));
afterEach(() => client.hangUp());

type Said = {
  id?: unknown;
  method?: string;
  params?: any;
  result?: any;
  error?: { code: number; message: string };
  sessionId?: string;
};

async function hear(websocket: RawWebSocket = client): Promise<Said> {
  const next = await websocket.next();
  assert.ok(next !== undefined, 'the connection goes on');
  return JSON.parse(`${next.payload}`);
}

/** Sends a text and gives what is said next. */
function say(text: string, websocket: RawWebSocket = client): Promise<Said> {
  websocket.sendText(text);
  return hear(websocket);
}

/** Sends a command and gives its answer; events before it are passed over. */
async function call(method: string, params: object = {}, more: object = {}): Promise<Said> {
  client.sendText(JSON.stringify({ id: 99, method, params, ...more }));
  for (;;) {
    const said = await hear();
    if (said.id === 99) return said;
  }
}

test('what is no command gets an error, and the connection goes on', async () => {
  const command = '"method":"Browser.getVersion"';
  const rows: [string, number, unknown][] = [
    ['hello', -32700, undefined],
    ['', -32700, undefined],
    ['null', -32700, undefined],
    ['[]', -32700, undefined],
    ['1', -32700, undefined],
    [`[{"id":1,${command}}]`, -32700, undefined],
    [`{"id":1,${command}`, -32700, undefined],
    [`{"id":1,${command}}{"id":2,${command}}`, -32700, undefined],
    [`\ufeff{"id":1,${command}}`, -32700, undefined],
    [`{"id":1,${command},"params":${'['.repeat(10_000)}${']'.repeat(10_000)}}`, -32700, undefined],
    [`{"id":1,"id":2,${command}}`, -32700, 2],
    ['{}', -32600, undefined],
    [`{${command}}`, -32600, undefined],
    [`{"id":"1",${command}}`, -32600, undefined],
    [`{"id":null,${command}}`, -32600, undefined],
    [`{"id":1.5,${command}}`, -32600, undefined],
    [`{"id":9007199254740992,${command}}`, -32600, undefined],
    [`{"id":1e99,${command}}`, -32600, undefined],
    ['{"id":1}', -32600, 1],
    ['{"id":1,"method":1}', -32600, 1],
    ['{"id":1,"method":null}', -32600, 1],
    [`{"id":1,${command},"sessionId":1}`, -32600, 1],
    [`{"id":1,${command},"more":1}`, -32600, 1],
    [`{"id":1,${command},"sessionId":"nobody"}`, -32001, 1],
    [`{"id":1,${command},"sessionId":"${sessionId}"}`, -32001, 1],
    [`{"id":1,${command},"sessionId":"${'A'.repeat(100_000)}"}`, -32001, 1],
    ['{"id":1,"method":"Nothing.atAll"}', -32601, 1],
    ['{"id":1,"method":""}', -32600, 1],
    [`{"id":1,"method":"${'x'.repeat(100_000)}"}`, -32601, 1],
    ['{"id":1,"method":"Target.attachToTarget"}', -32602, 1],
    ['{"id":1,"method":"Target.attachToTarget","params":{"targetId":"nobody"}}', -32602, 1],
    ['{"id":1,"method":"Target.attachToTarget","params":{"targetId":1}}', -32602, 1],
  ];
  const failures: string[] = [];
  for (const [text, code, id] of rows) {
    const said = await say(text);
    if (said.error?.code !== code || said.id !== id || !said.error.message) {
      failures.push(`${text.slice(0, 100)}: ${JSON.stringify(said).slice(0, 200)}`);
    }
  }
  assert.deepEqual(failures, []);
  assert.match((await call('Browser.getVersion')).result.product, /Chrome\//);
});

test('an id comes back as it was sent, also one that another client uses', async () => {
  const other = await RawWebSocket.open(server.url, path);
  const command = '"method":"Browser.getVersion"';
  for (const id of [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)]) {
    const said = await Promise.all([
      say(`{"id":${id},${command}}`),
      say(`{"id":${id},${command}}`, other),
    ]);
    assert.deepEqual(
      said.map((each) => each.id),
      [id, id],
    );
  }
  client.sendText(`{"id":5,${command}}`);
  client.sendText(`{"id":5,${command}}`);
  assert.deepEqual(
    [(await hear()).id, (await hear()).id],
    [5, 5],
    'twice the same is answered twice',
  );
  other.hangUp();
});

test("one client cannot speak in another's session, nor hears of it", async () => {
  const other = await RawWebSocket.open(server.url, path);
  const { targetInfos } = (await call('Target.getTargets')).result;
  const { targetId } = targetInfos.find((each: { type: string }) => each.type === 'page');
  const { result } = await call('Target.attachToTarget', { targetId, flatten: true });
  const attached: string = result.sessionId;
  const own = await call('Runtime.evaluate', { expression: '6 * 7' }, { sessionId: attached });
  assert.equal(own.result.result.value, 42);
  assert.equal(own.sessionId, attached);
  const evaluate = { id: 1, method: 'Runtime.evaluate', params: { expression: '1' } };
  const theirs = JSON.stringify({ ...evaluate, sessionId: attached });
  assert.equal((await say(theirs, other)).error?.code, -32001);
  const detach = `{"id":2,"method":"Target.detachFromTarget","params":{"sessionId":"${attached}"}}`;
  assert.ok((await say(detach, other)).error, 'nor can it end it');
  const still = await call('Runtime.evaluate', { expression: '1' }, { sessionId: attached });
  assert.equal(still.result.result.value, 1);
  other.hangUp();
});

test('a thousand commands that nobody waits for are all answered', async () => {
  const count = 1_000;
  for (let id = 0; id < count; ++id) client.sendText(`{"id":${id},"method":"Browser.getVersion"}`);
  const ids = new Set<unknown>();
  while (ids.size < count) ids.add((await hear()).id);
  assert.equal(ids.size, count);
});

test('sessions within a client are bounded', async () => {
  const { targetInfos } = (await call('Target.getTargets')).result;
  const { targetId } = targetInfos.find((each: { type: string }) => each.type === 'page');
  let refused: Said | undefined;
  for (let i = 0; i < 10_000 && refused === undefined; ++i) {
    const said = await call('Target.attachToTarget', { targetId, flatten: true });
    if (said.error) refused = said;
  }
  assert.equal(refused?.error?.code, -32000, 'before there are 10,000 of them');
  const other = await RawWebSocket.open(server.url, path);
  assert.match(
    (await say('{"id":1,"method":"Browser.getVersion"}', other)).result.product,
    /Chrome/,
  );
  other.hangUp();
});

test('Browser.close ends the session, as asked', async () => {
  assert.deepEqual((await call('Browser.close')).result, {});
  assert.equal(await client.goodbyeCode(), 1001);
  const at = { sessionId };
  await play(server, { call: 'DELETE /v1/sessions/{sessionId}', at, status: 200 });
  const found = await play(server, { call: 'GET /v1/sessions/{sessionId}', at, status: 200 });
  assert.equal(found.body.data.status, 'completed');
});
