// What stands before a request's body: its first line, its headers, its path, its host. Whatever is
// refused here ends the connection, and nothing behind it in the connection is ever served.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startServer } from '../support/server.ts';
import { quiet } from '../support/settings.ts';
import { mustRefuse, mustServe, type WireRow } from './wire_rows.ts';
import { exchange, requestText } from '../support/wire.ts';

const config = quiet({ server: { hosts: ['capstan.example.com'] } });
const server = await startServer({ config });
after(() => server.stop());

const get = (headers: string[]): string => requestText('GET /health HTTP/1.1', headers);
const line = (first: string): string => requestText(first);
const many = (count: number): string[] => Array.from({ length: count }, (_, i) => `X-${i}: 1`);

test('a request line that is none is refused', () =>
  mustRefuse(server, [
    { about: 'of 64 KB', bytes: line(`GET /${'a'.repeat(65_536)} HTTP/1.1`), status: 414 },
    { about: '10,000 segments', bytes: line(`GET ${'/a'.repeat(10_000)} HTTP/1.1`), status: 414 },
    { about: 'HTTP/0.9', bytes: 'GET /health\r\n', status: 400 },
    { about: 'HTTP/3.0', bytes: line('GET /health HTTP/3.0'), status: 505 },
    { about: 'HTTP/2.0', bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', status: 505 },
    { about: 'HTTP/1.2', bytes: line('GET /health HTTP/1.2'), status: 505 },
    { about: 'HTTP/1.10', bytes: line('GET /health HTTP/1.10'), status: 400 },
    { about: 'http/1.1', bytes: line('GET /health http/1.1'), status: 400 },
    { about: 'two blanks', bytes: line('GET  /health HTTP/1.1'), status: 400 },
    { about: 'a tab', bytes: line('GET\t/health HTTP/1.1'), status: 400 },
    { about: 'a blank at its end', bytes: line('GET /health HTTP/1.1 '), status: 400 },
    { about: 'a blank in the target', bytes: line('GET /health /x HTTP/1.1'), status: 400 },
    { about: 'no method', bytes: line(' /health HTTP/1.1'), status: 400 },
    { about: 'an unknown method', bytes: line('BREW /health HTTP/1.1'), status: 405 },
    { about: 'a method in small letters', bytes: line('get /health HTTP/1.1'), status: 405 },
    { about: 'CONNECT', bytes: line('CONNECT example.com:443 HTTP/1.1'), status: 405 },
    { about: 'TRACE', bytes: line('TRACE /health HTTP/1.1'), status: 405 },
    { about: 'absolute form', bytes: line('GET http://localhost/health HTTP/1.1'), status: 400 },
    { about: 'another host', bytes: line('GET http://a.example/ HTTP/1.1'), status: 400 },
    { about: 'no slash', bytes: line('GET health HTTP/1.1'), status: 400 },
    { about: 'a fragment', bytes: line('GET /health#top HTTP/1.1'), status: 400 },
    { about: 'a byte that is not ASCII', bytes: line('GET /\xff HTTP/1.1'), status: 400 },
    { about: 'a broken escape', bytes: line('GET /health?x=%zz HTTP/1.1'), status: 400 },
    { about: 'a NUL in the query', bytes: line('GET /health?x=%00 HTTP/1.1'), status: 400 },
    { about: 'no UTF-8 in the query', bytes: line('GET /health?x=%ff HTTP/1.1'), status: 400 },
    { about: 'TLS', bytes: '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03', status: 400 },
    { about: 'a SOCKS greeting', bytes: '\x05\x01\0', status: 400 },
    { about: 'LF alone', bytes: 'GET /health HTTP/1.1\nHost: localhost\n\n', status: 400 },
  ]));

test('a header that is none is refused', () =>
  mustRefuse(server, [
    { about: '17 KB in one header', bytes: get([`X: ${'a'.repeat(17_408)}`]), status: 431 },
    {
      about: '17 KB in many headers',
      bytes: get(many(90).map((x) => x + 'a'.repeat(200))),
      status: 431,
    },
    { about: '101 headers', bytes: get(many(100)), status: 431 },
    { about: 'no colon', bytes: get(['X-Strange']), status: 400 },
    { about: 'no name', bytes: get([': 1']), status: 400 },
    { about: 'a blank before the colon', bytes: get(['X : 1']), status: 400 },
    { about: 'a name that is no token', bytes: get(['X(1): 1']), status: 400 },
    { about: 'a name that is not ASCII', bytes: get(['X\xe4: 1']), status: 400 },
    { about: 'NUL', bytes: get(['X: a\0b']), status: 400 },
    { about: 'CR', bytes: get(['X: a\rb']), status: 400 },
    { about: 'LF', bytes: get(['X: a\nY: b']), status: 400 },
    { about: 'DEL', bytes: get(['X: a\x7fb']), status: 400 },
    { about: 'folded by a blank', bytes: get(['X: a', ' b']), status: 400 },
    { about: 'folded by a tab', bytes: get(['X: a', '\tb']), status: 400 },
    {
      about: 'a blank line first',
      bytes: 'GET /health HTTP/1.1\r\n \r\nHost: a\r\n\r\n',
      status: 400,
    },
    { about: 'an unknown expectation', bytes: get(['Expect: a-miracle']), status: 417 },
  ]));

test('a request without one host of ours is refused', async () => {
  await mustRefuse(server, [
    { about: 'none', bytes: 'GET /health HTTP/1.1\r\n\r\n', status: 400 },
    { about: 'an empty one', bytes: 'GET /health HTTP/1.1\r\nHost:\r\n\r\n', status: 400 },
    { about: 'twice the same', bytes: get(['Host: localhost']), status: 400 },
    { about: 'two', bytes: get(['Host: capstan.example.com']), status: 400 },
    { about: 'with a user', bytes: 'GET / HTTP/1.1\r\nHost: a@localhost\r\n\r\n', status: 400 },
    { about: 'with a path', bytes: 'GET / HTTP/1.1\r\nHost: localhost/a\r\n\r\n', status: 400 },
  ]);
  const to = (host: string): string => `GET /health HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
  const row = (host: string, status: number): WireRow => ({ about: host, bytes: to(host), status });
  await mustServe(server, [
    row('evil.example', 421),
    row('localhost.evil.example', 421),
    row('127.0.0.1.evil.example', 421),
    row('evil.example:8700', 421),
    row('capstan.example.com.evil.example', 421),
    row('127.0.0.1', 200),
    row('127.0.0.1:1', 200),
    row('[::1]:8700', 200),
    row('localhost', 200),
    row('LocalHost:8700', 200),
    row('capstan.example.com', 200),
    row('Capstan.Example.Com:443', 200),
  ]);
});

test('a path has one form, and leads nowhere else', () => {
  const row = (path: string, status: number): WireRow => ({
    about: path.slice(0, 40),
    bytes: requestText(`GET ${path} HTTP/1.1`, [`anchor-api-key: ${server.key}`]),
    status,
  });
  return mustServe(server, [
    row('/health', 200),
    row('/health/', 200),
    row('/he%61lth', 200),
    row('/health?', 200),
    row('//health', 404),
    row('/health//', 404),
    row('/Health', 404),
    row('/health;a=1', 404),
    row('//v1/task', 404),
    row('/v1//task', 404),
    row('/v1/../health', 404),
    row('/v1/../admin', 404),
    row('/v1/./task', 404),
    row('/v1/%2e%2e/health', 404),
    row('/v1/%2E%2E%2Fhealth', 404),
    row('/v1%2ftask', 404),
    row('/v1/task%00', 404),
    row('/v1/task/%ff', 404),
    row('/v1/task/%c0%ae%c0%ae', 404),
    row('/v1/task/%e0%80%af', 404),
    row('/v1/task/%0d%0aset-cookie:%20a=b', 404),
    row('/v1/task/%zz', 404),
    row('/v1/task/%', 404),
    row('/%76%31/task', 200),
    row('/a'.repeat(3_000), 404),
    row('/'.repeat(3_000), 404),
  ]);
});

test('HTTP/1.0 is served without a host, and then hung up on', async () => {
  const [answer] = await exchange(server.url, 'GET /health HTTP/1.0\r\n\r\n');
  assert.equal(answer?.status, 200);
  assert.equal(answer?.headers['connection'], 'close');
});

test('1,000 requests at once are answered in their order', async () => {
  const ids = Array.from({ length: 1_000 }, (_, i) => `r${i}`);
  const last = ids.length - 1;
  const requests = ids.map((id, i) => {
    const path = i % 3 === 0 ? '/nowhere' : '/health';
    const ending = i === last ? ['Connection: close'] : [];
    return requestText(`GET ${path} HTTP/1.1`, [`x-request-id: ${id}`, ...ending]);
  });
  const answers = await exchange(server.url, requests.join(''));
  assert.deepEqual(
    answers.map(({ headers }) => headers['x-request-id']),
    ids,
  );
});

test('a client that says it is done sending still gets its answer', async () => {
  const answers = await exchange(server.url, get([]), { end: true });
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200],
  );
});

test('a client that says nothing and leaves gets nothing', async () => {
  assert.deepEqual(await exchange(server.url, '', { end: true }), []);
});

test("a client's request id comes back only if it may stand in a log", async () => {
  const ask = async (id: string): Promise<string | undefined> => {
    const bytes = get([`x-request-id: ${id}`, 'Connection: close']);
    return (await exchange(server.url, bytes))[0]?.headers['x-request-id'];
  };
  assert.equal(await ask('a-1.b_2:c'), 'a-1.b_2:c');
  for (const id of ['two words', 'a"b', 'x'.repeat(129), '<b>', '']) {
    assert.match((await ask(id)) ?? '', /^[0-9a-f-]{36}$/, `in place of ${id}`);
  }
});
