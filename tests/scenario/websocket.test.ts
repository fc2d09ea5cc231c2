// The WebSocket in front of a session's browser: who may open one, and frames that break its rules.
import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { startServer } from '../support/server.ts';
import { frame, goodbye, handshake, opcodes, RawWebSocket } from '../support/raw_websocket.ts';
import { openSession } from '../support/sessions.ts';
import { quiet } from '../support/settings.ts';
import { play, revokedKey, stateOf, unknownId } from './scenario.ts';
import { mustTell } from './wire_rows.ts';
import { exchange, requestText } from '../support/wire.ts';

const server = await startServer({ config: quiet() });
after(() => server.stop());
const { id: sessionId, cdp_url: address } = await openSession(server);
const token = new URL(address).searchParams.get('token') ?? '';
/** A client of the same session that keeps to the rules, to see that it is never disturbed. */
const bystander = await RawWebSocket.open(server.url, `/?sessionId=${sessionId}&token=${token}`);
afterEach(async () => assert.equal(await versionFrom(bystander), true, 'others can go on'));

async function versionFrom(websocket: RawWebSocket): Promise<boolean> {
  websocket.sendText('{"id":7,"method":"Browser.getVersion"}');
  const answer = await websocket.next();
  const { id, result } = JSON.parse(`${answer?.payload}`);
  return id === 7 && /Chrome\//.test(result.product);
}

/** Sends a handshake that must be refused, by any server that would not talk WebSocket to it. */
async function refuse(
  status: number,
  path: string,
  { headers = handshake, line = `GET ${path} HTTP/1.1` } = {},
): Promise<void> {
  const polite = headers.map((each) => (each.startsWith('Connection') ? `${each}, close` : each));
  const answers = await exchange(server.url, requestText(line, polite));
  assert.equal(answers[0]?.status, status, `${line} ${headers}: ${JSON.stringify(answers)}`);
  mustTell(answers, [status]);
  if (status === 426)
    assert.ok(answers[0]?.headers['sec-websocket-version'] ?? answers[0]?.headers['upgrade']);
}

const own = (): string => `/?sessionId=${sessionId}&token=${token}`;
const without = (name: string): string[] => handshake.filter((each) => !each.startsWith(name));
const withKey = (key: string): string[] => [
  ...without('Sec-WebSocket-Key'),
  `Sec-WebSocket-Key: ${key}`,
];
const withVersion = (version: string): string[] => [
  ...without('Sec-WebSocket-Version'),
  `Sec-WebSocket-Version: ${version}`,
];

test('a handshake that is none is refused', async () => {
  await refuse(400, own(), { headers: without('Sec-WebSocket-Key') });
  for (const key of [
    '',
    'c2hvcnQ=',
    'YSBrZXkgdGhhdCBpcyB0b28gbG9uZyBieSBmYXI=',
    'no base64 at all!',
  ]) {
    await refuse(400, own(), { headers: withKey(key) });
  }
  await refuse(400, own(), {
    headers: [...handshake, ...withKey('dGhlIHNhbXBsZSBub25jZQ==').slice(-1)],
  });
  await refuse(426, own(), { headers: without('Sec-WebSocket-Version') });
  for (const version of ['12', '8', '0', '14', '13, 8', 'x']) {
    await refuse(426, own(), { headers: withVersion(version) });
  }
  await refuse(400, own(), { line: `POST ${own()} HTTP/1.1` });
  await refuse(400, own(), { headers: [...handshake, 'Content-Length: 1'] });
  await refuse(426, own(), { headers: [...without('Upgrade'), 'Upgrade: h2c'] });
  await refuse(426, own(), { line: `GET ${own()} HTTP/1.0` });
});

test('a session is opened to its own token and to a key of its team', async () => {
  const revoked = await revokedKey(server);
  const foreign = await server.createKey('other');
  const before = await stateOf(server);
  for (const place of [
    '/',
    '/devtools/browser',
    `/devtools/browser/${unknownId}`,
    '/devtools/page/A',
  ]) {
    const at = `${place}?sessionId=${sessionId}`;
    await refuse(401, place);
    await refuse(401, at);
    await refuse(401, `${at}&token=`);
    await refuse(401, `${at}&token=${token.slice(0, -1)}`);
    await refuse(401, `${at}&token=${token}0`);
    await refuse(401, `${at}&token=${server.key}`);
    await refuse(401, `${at}&apiKey=${token}`);
    await refuse(401, `${at}&apiKey=${revoked}`);
    await refuse(401, `${at}&apikey=${server.key}`);
    await refuse(401, `${place}?token=${token}`);
    await refuse(401, `${place}?sessionId=${unknownId}&token=${token}`);
    for (const origin of ['http://evil.example', 'http://127.0.0.1:1', 'null', 'file://']) {
      const headers = [...handshake, `Origin: ${origin}`];
      await refuse(403, `${place}?sessionId=${sessionId}&token=${token}`, { headers });
    }
    await refuse(401, at, { headers: [...handshake, `anchor-api-key: ${revoked}`] });
    await refuse(401, `${at}&token=${token}`, { headers: [...handshake, 'anchor-api-key: wrong'] });
    await refuse(404, `${at}&apiKey=${foreign}`);
    await refuse(404, `${place}?sessionId=${unknownId}&apiKey=${server.key}`);
    await refuse(404, `${place}?sessionId=no&apiKey=${server.key}`);
  }
  await refuse(404, `/devtools/page/${'A'.repeat(32)}?sessionId=${sessionId}&apiKey=${server.key}`);
  await refuse(400, `/devtools/page/A?apiKey=${server.key}`);
  await refuse(404, `/devtools?sessionId=${sessionId}&token=${token}`);
  assert.equal(await stateOf(server), before, 'no session was opened for anybody');
});

test('a session is open to whoever has its token or a key, wherever the key stands', async () => {
  const pages = { call: 'GET /v1/sessions/{sessionId}/pages', at: { sessionId }, status: 200 };
  const target: string = (await play(server, pages)).body.data.items[0].id;
  for (const path of [
    own(),
    `/?apiKey=${server.key}&sessionId=${sessionId}`,
    `/devtools/browser?sessionId=${sessionId}&token=${token}`,
    `/devtools/browser/${unknownId}?sessionId=${sessionId}&token=${token}`,
  ]) {
    const websocket = await RawWebSocket.open(server.url, path);
    assert.equal(await versionFrom(websocket), true);
    websocket.hangUp();
  }
  const path = `/devtools/page/${target}?sessionId=${sessionId}&token=${token}`;
  const page = await RawWebSocket.open(server.url, path);
  page.sendText('{"id":1,"method":"Runtime.evaluate","params":{"expression":"40 + 2"}}');
  assert.equal(JSON.parse(`${(await page.next())?.payload}`).result.result.value, 42);
  page.hangUp();
});

test('frames that break the rules end the connection, and say which rule', async () => {
  const { text, binary, continuation, ping } = opcodes;
  const size = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);
  const rows: [string, number, Buffer[]][] = [
    ['a frame without a mask', 1002, [frame({ opcode: text, payload: '{}', masked: false })]],
    ['the first reserved bit', 1002, [frame({ opcode: text, payload: '{}', reserved: 4 })]],
    ['the second reserved bit', 1002, [frame({ opcode: text, payload: '{}', reserved: 2 })]],
    ['the third reserved bit', 1002, [frame({ opcode: text, payload: '{}', reserved: 1 })]],
    ['opcode 3', 1002, [frame({ opcode: 3, payload: 'a' })]],
    ['opcode 7', 1002, [frame({ opcode: 7 })]],
    ['opcode 11', 1002, [frame({ opcode: 11 })]],
    ['opcode 15', 1002, [frame({ opcode: 15 })]],
    ['a ping in pieces', 1002, [frame({ opcode: ping, final: false })]],
    ['a goodbye in pieces', 1002, [frame({ opcode: opcodes.close, final: false })]],
    ['a ping of 126 bytes', 1002, [frame({ opcode: ping, payload: 'x'.repeat(126) })]],
    ['a continuation of nothing', 1002, [frame({ opcode: continuation, payload: 'a' })]],
    [
      'a text within a text',
      1002,
      [frame({ opcode: text, final: false }), frame({ opcode: text })],
    ],
    [
      'bytes within a text',
      1002,
      [frame({ opcode: text, final: false }), frame({ opcode: binary })],
    ],
    ['a length in too long a form', 1002, [frame({ opcode: text, length: size(126, 0, 5) })]],
    [
      'one in the longest form',
      1002,
      [frame({ opcode: text, length: size(127, 0, 0, 0, 0, 0, 0, 1, 0) })],
    ],
    [
      'a length of 2^63',
      1002,
      [frame({ opcode: text, length: size(127, 128, 0, 0, 0, 0, 0, 0, 0) })],
    ],
    [
      'a length of 2^62',
      1009,
      [frame({ opcode: text, length: size(127, 64, 0, 0, 0, 0, 0, 0, 0) })],
    ],
    [
      '256 MiB and a byte',
      1009,
      [frame({ opcode: text, length: size(127, 0, 0, 0, 0, 16, 0, 0, 1) })],
    ],
    ['text that is no UTF-8', 1007, [frame({ opcode: text, payload: size(0xff) })]],
    ['half a character', 1007, [frame({ opcode: text, payload: size(0x22, 0xc3) })]],
    ['a surrogate', 1007, [frame({ opcode: text, payload: size(0xed, 0xa0, 0x80) })]],
    ['a goodbye of one byte', 1002, [frame({ opcode: opcodes.close, payload: 'a' })]],
    ['a goodbye with 0', 1002, [goodbye(0)]],
    ['a goodbye with 999', 1002, [goodbye(999)]],
    ['a goodbye with 1004', 1002, [goodbye(1004)]],
    ['a goodbye with 1005', 1002, [goodbye(1005)]],
    ['a goodbye with 1006', 1002, [goodbye(1006)]],
    ['a goodbye with 1015', 1002, [goodbye(1015)]],
    ['a goodbye with 2000', 1002, [goodbye(2000)]],
    ['a goodbye with 5000', 1002, [goodbye(5000)]],
    ['a reason that is no UTF-8', 1007, [goodbye(1000, size(0xff))]],
    ['a request instead', 1002, [Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')]],
    ['nothing against the rules', 1000, [goodbye(1000, 'done')]],
    ['an own code', 3000, [goodbye(3000)]],
    ['no code', 1005, [goodbye()]],
  ];
  const failures: string[] = [];
  for (const [about, code, frames] of rows) {
    const websocket = await RawWebSocket.open(server.url, own());
    websocket.send(...frames);
    const told = await websocket.goodbyeCode();
    if (told !== code) failures.push(`${about}: ${told}, not ${code}`);
    if ((await websocket.next()) !== undefined) failures.push(`${about}: more after the goodbye`);
    websocket.hangUp();
  }
  assert.deepEqual(failures, []);
});

test('frames that keep to the rules, if barely, are served', async () => {
  const { text, continuation, ping, pong, binary } = opcodes;
  const websocket = await RawWebSocket.open(server.url, own());
  const payload = 'x'.repeat(125);
  websocket.send(frame({ opcode: pong }), frame({ opcode: ping, payload }));
  const answer = await websocket.next();
  assert.deepEqual([answer?.opcode, `${answer?.payload}`], [pong, payload]);

  const command = '{"id":7,"method":"Browser.getVersion"}';
  websocket.send(
    frame({ opcode: text, final: false, payload: command.slice(0, 10) }),
    frame({ opcode: ping, payload: 'amid' }),
    frame({ opcode: continuation, final: false }),
    frame({ opcode: continuation, payload: command.slice(10) }),
  );
  assert.equal(`${(await websocket.next())?.payload}`, 'amid');
  assert.match(`${(await websocket.next())?.payload}`, /"product"/);

  websocket.send(frame({ opcode: binary, payload: command }));
  assert.match(`${(await websocket.next())?.payload}`, /"product"/, 'bytes are read as text');

  const bytes = [...`${' '.repeat(200_000)}${command}`];
  const pieces = bytes.map((payload, i) =>
    frame({ opcode: i === 0 ? text : continuation, final: i === bytes.length - 1, payload }),
  );
  websocket.send(Buffer.concat(pieces));
  assert.match(`${(await websocket.next())?.payload}`, /"product"/, '200,000 pieces of a byte');
  websocket.hangUp();
});

test('a client that leaves amid a frame disturbs nobody', async () => {
  const whole = frame({ opcode: opcodes.text, payload: '{"id":1,"method":"Browser.getVersion"}' });
  for (const length of [1, 2, 5, whole.length - 1]) {
    const websocket = await RawWebSocket.open(server.url, own());
    websocket.send(whole.subarray(0, length));
    websocket.hangUp();
  }
  const { body } = await play(server, {
    call: 'GET /v1/sessions/{sessionId}',
    at: { sessionId },
    status: 200,
  });
  assert.equal(body.data.status, 'running');
});

test('without a session one is opened for the connection, and ends with it', async () => {
  const all = { call: 'GET /v1/sessions/all/status', status: 200 };
  assert.equal((await play(server, all)).body.data.count, 1);
  const websocket = await RawWebSocket.open(server.url, `/?apiKey=${server.key}`);
  assert.equal(await versionFrom(websocket), true);
  const { items } = (await play(server, all)).body.data;
  assert.equal(items.length, 2);
  const opened = items.find((item: { session_id: string }) => item.session_id !== sessionId);
  websocket.send(goodbye(1000));
  assert.equal(await websocket.goodbyeCode(), 1000);
  const { body } = await play(server, {
    call: 'DELETE /v1/sessions/{sessionId}',
    at: { sessionId: opened.session_id },
    status: 200,
  });
  assert.ok(body.data.status, 'ending what has ended is no failure');
  assert.equal((await play(server, all)).body.data.count, 1);
});

test('keys and tokens in addresses are not in the log', () => {
  assert.ok(server.log.length > 0);
  const told = server.log.filter((line) => line.includes(token) || line.includes(server.key));
  assert.deepEqual(told, []);
});
