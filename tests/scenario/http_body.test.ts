// How a request's body is framed. Where a server and a proxy before it count differently, requests
// hide in each other: so there is one way to count, and the rest is refused with the connection.
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { startServer } from '../support/server.ts';
import { quiet } from '../support/settings.ts';
import { mustRefuse, mustServe, mustTell, type WireRow } from './wire_rows.ts';
import { exchange, requestText } from '../support/wire.ts';

const server = await startServer({ config: quiet() });
after(() => server.stop());

const bodyBytesMax = 8 * 1024 * 1024;

/** A request whose body, if it is read right, is {"name":"a"}: 400, since language is missing. */
const post = (headers: string[], body: string): string => {
  const ours = [`anchor-api-key: ${server.key}`, 'Content-Type: application/json'];
  return requestText('POST /v1/task HTTP/1.1', [...ours, ...headers], body);
};
const body = '{"name":"a"}';
const chunked = (text: string, headers: string[] = []): string =>
  post(['Transfer-Encoding: chunked', ...headers], text);

test('a content-length that is not one number is refused', () => {
  const row = (about: string, headers: string[], status = 400): WireRow => ({
    about,
    bytes: post(headers, body),
    status,
  });
  return mustRefuse(server, [
    row('twice the same', ['Content-Length: 12', 'Content-Length: 12']),
    row('twice and differing', ['Content-Length: 12', 'Content-Length: 0']),
    row('a list', ['Content-Length: 12, 12']),
    row('negative', ['Content-Length: -12']),
    row('with a plus', ['Content-Length: +12']),
    row('hexadecimal', ['Content-Length: 0xc']),
    row('broken', ['Content-Length: 12.0']),
    row('empty', ['Content-Length:']),
    row('words', ['Content-Length: twelve']),
    row('with a blank in it', ['Content-Length: 1 2']),
    row('2^64', ['Content-Length: 18446744073709551616']),
    row('2^64 and 12', ['Content-Length: 18446744073709551628']),
    row('2^63', ['Content-Length: 9223372036854775808'], 413),
    row('a byte too much', [`Content-Length: ${bodyBytesMax + 1}`], 413),
  ]);
});

test('a transfer-encoding other than chunked is refused', () => {
  const row = (about: string, headers: string[]): WireRow => ({
    about,
    bytes: post(headers, `c\r\n${body}\r\n0\r\n\r\n`),
    status: 400,
  });
  return mustRefuse(server, [
    row('with a content-length', ['Content-Length: 12', 'Transfer-Encoding: chunked']),
    row('before a content-length', ['Transfer-Encoding: chunked', 'Content-Length: 12']),
    row('with a content-length of 0', ['Content-Length: 0', 'Transfer-Encoding: chunked']),
    row('chunked, identity', ['Transfer-Encoding: chunked, identity']),
    row('identity', ['Transfer-Encoding: identity']),
    row('identity, chunked', ['Transfer-Encoding: identity, chunked']),
    row('gzip, chunked', ['Transfer-Encoding: gzip, chunked']),
    row('twice', ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked']),
    row('unknown', ['Transfer-Encoding: xchunked']),
    row('empty', ['Transfer-Encoding:']),
    row('in quotes', ['Transfer-Encoding: "chunked"']),
    row('with a vertical tab', ['Transfer-Encoding: \x0bchunked']),
    row('with a blank before its colon', ['Transfer-Encoding : chunked']),
    {
      about: 'in HTTP/1.0',
      bytes: 'POST /v1/task HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      status: 400,
    },
  ]);
});

test('chunks that are none are refused', () => {
  const row = (about: string, text: string, status = 400): WireRow => ({
    about,
    bytes: chunked(text),
    status,
  });
  const rest = `\r\n${body}\r\n0\r\n\r\n`;
  return mustRefuse(server, [
    row('no size', rest),
    row('a size that is no number', `zz${rest}`),
    row('a negative size', `-c${rest}`),
    row('a size with a plus', `+c${rest}`),
    row('a size with 0x', `0xc${rest}`),
    row('a blank before the size', ` c${rest}`),
    row('a blank behind the size', `c ${rest}`),
    row('16 digits', `000000000000000c${rest}`),
    row('17 digits that wrap', `1000000000000000c${rest}`),
    row('LF alone behind the size', `c\n${body}\r\n0\r\n\r\n`),
    row('no CR LF behind the chunk', `c\r\n${body}0\r\n\r\n`),
    row('LF alone behind the chunk', `c\r\n${body}\n0\r\n\r\n`),
    row('a chunk shorter than its size', `d${rest}`),
    row('a chunk longer than its size', `b${rest}`),
    row('a size above the limit', `${(bodyBytesMax + 1).toString(16)}\r\n${body}`, 413),
    row('4 GiB', `ffffffff\r\n${body}`, 413),
    row('an endless extension', `c;${'a'.repeat(9_000)}${rest}`),
    row('an endless trailer', `c\r\n${body}\r\n0\r\nx: ${'a'.repeat(9_000)}\r\n\r\n`),
    { about: 'no last chunk', bytes: chunked(`c\r\n${body}\r\n`), status: 400, end: true },
    { about: 'half a chunk', bytes: chunked('c\r\n{"na'), status: 400, end: true },
    { about: 'nothing', bytes: chunked(''), status: 400, end: true },
  ]);
});

test('chunks that are sound make a body like any other', () => {
  const row = (about: string, text: string): WireRow => ({
    about,
    bytes: chunked(text),
    status: 400,
  });
  return mustServe(server, [
    row('one', `c\r\n${body}\r\n0\r\n\r\n`),
    row('several', '5\r\n{"nam\r\n7\r\ne":"a"}\r\n0\r\n\r\n'),
    row('a size in capitals, with zeros', `0000000C\r\n${body}\r\n0\r\n\r\n`),
    row('with an extension', `c;a=b\r\n${body}\r\n0\r\n\r\n`),
    row('with a trailer', `c\r\n${body}\r\n0\r\nX-Sum: 1\r\n\r\n`),
  ]);
});

test('chunks that together are too much are refused', async () => {
  const mebibyte = `100000\r\n${' '.repeat(1024 * 1024)}\r\n`;
  const bytes = chunked(`${mebibyte.repeat(8)}1\r\n \r\n0\r\n\r\n`);
  mustTell(await exchange(server.url, bytes), [413]);
});

test('a body that ends too early is refused', () =>
  mustRefuse(server, [
    { about: 'amid', bytes: post(['Content-Length: 100'], body), status: 400, end: true },
    { about: 'at once', bytes: post(['Content-Length: 100'], ''), status: 400, end: true },
    { about: 'in the header', bytes: 'POST /v1/task HTTP/1.1\r\nHost', status: 400, end: true },
  ]));

test('what stands behind a body is the next request', async () => {
  const hidden = requestText('GET /health HTTP/1.1', ['x-request-id: hidden']);
  const whole = post([`Content-Length: ${hidden.length}`], hidden);
  await mustServe(server, [{ about: 'a request as a body', bytes: whole, status: 400 }]);
});

test('an expectation is met, unless the request is refused already', async () => {
  const expecting = ['Expect: 100-continue', 'Connection: close'];
  const answers = await exchange(server.url, post([...expecting, 'Content-Length: 12'], ''), {
    then: async (socket) => {
      await new Promise((resolve) => socket.once('data', resolve));
      socket.write(body);
    },
  });
  mustTell(answers, [100, 400]);
  const tooMuch = post([...expecting, `Content-Length: ${bodyBytesMax + 1}`], '');
  mustTell(await exchange(server.url, tooMuch), [413]);
});

test('who is too slow is told so, within seconds', async () => {
  const then = (socket: Socket): Promise<void> => drip(socket, 'TP/1.1');
  const begun = performance.now();
  const unkept = exchange(server.url, post(['Expect: 100-continue', 'Content-Length: 12'], ''));
  const cases = await Promise.all([
    exchange(server.url, 'GET /health HT', { then }),
    exchange(server.url, 'GET /health HT'),
    exchange(server.url, post(['Content-Length: 100'], body)),
    exchange(server.url, chunked(`c\r\n${body}\r\n`)),
  ]);
  for (const answers of cases) mustTell(answers, [408]);
  mustTell(await unkept, [100, 408]);
  assert.ok(performance.now() - begun < 15_000, 'within 15 s');
});

/** Sends a byte every two seconds: never silent for long, and never done. */
async function drip(socket: Socket, text: string): Promise<void> {
  for (const byte of text) {
    await pause(2_000);
    if (!socket.writable) return;
    socket.write(byte);
  }
}
