// What a body may be: one JSON object in UTF-8, sent as such, of bounded depth and size, read in
// bounded time.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { startServer } from '../support/server.ts';
import { quiet } from '../support/settings.ts';
import { base64 } from '../support/tasks.ts';
import { check, play, type Scenario, send, stateOf } from './scenario.ts';

const server = await startServer({ config: quiet() });
after(() => server.stop());

const call = 'POST /v1/task';
const good = { name: 'a', language: 'typescript' };
const goodText = JSON.stringify(good);

/** A body that would make a task, if only `field` stood in it and was read. */
const beside = (field: string): string => goodText.replace('}', `,${field}}`);

const row = (about: string, body: string | Uint8Array): Scenario => ({
  call,
  about,
  body,
  status: 400,
});

test('a body that is no JSON is refused', () =>
  check(server, [
    row('words', 'hello'),
    row('a blank', ' '),
    row('a form', 'name=a&language=typescript'),
    row('cut off', goodText.slice(0, -1)),
    row('a byte behind it', `${goodText}x`),
    row('a brace behind it', `${goodText}}`),
    row('two objects', goodText + goodText),
    row('two lines', `${goodText}\n${goodText}`),
    row('a NUL behind it', `${goodText}\0`),
    row('a byte order mark', `\ufeff${goodText}`),
    row('UTF-16', Buffer.from(goodText, 'utf16le')),
    row('single quotes', goodText.replaceAll('"', "'")),
    row('names without quotes', goodText.replaceAll(/"(\w+)":/g, '$1:')),
    row('a comma at its end', beside('')),
    row('a comma in an array', beside('"x":[1,]')),
    row('a comment', beside('"x":1/* one */')),
    row('NaN', beside('"x":NaN')),
    row('Infinity', beside('"x":-Infinity')),
    row('undefined', beside('"x":undefined')),
    row('a number with a plus', beside('"x":+1')),
    row('a number with a zero before it', beside('"x":01')),
    row('a number without digits', beside('"x":1.')),
    row('a hexadecimal number', beside('"x":0x10')),
    row('a number out of range', beside('"x":1e999999')),
    row('a negative number out of range', beside('"x":-1e999999')),
    row('a line end in a text', beside('"x":"a\nb"')),
    row('a NUL in a text', beside('"x":"a\0b"')),
    row('an unknown escape', beside('"x":"\\q"')),
    row('a broken escape', beside('"x":"\\u12g4"')),
    row('half a surrogate pair', beside('"x":"\\ud800"')),
    row('the other half', beside('"x":"\\udc00"')),
    row('a pair turned round', beside('"x":"\\udc00\\ud800"')),
    row('no UTF-8', Buffer.from(beside('"x":"\xff"'), 'latin1')),
    row('a long form in UTF-8', Buffer.from(beside('"x":"\xc0\xaf"'), 'latin1')),
    row('a surrogate in UTF-8', Buffer.from(beside('"x":"\xed\xa0\x80"'), 'latin1')),
    row('above U+10FFFF', Buffer.from(beside('"x":"\xf4\x90\x80\x80"'), 'latin1')),
  ]));

test('a body that is no object is refused', () =>
  check(
    server,
    ['null', 'true', '0', '"a"', '[]', `[${goodText}]`].map((body) => ({
      ...row('', body),
      says: 'object',
    })),
  ));

test('an empty body counts as an object without fields', () =>
  check(server, [
    { call, status: 400, says: /name .*language/s },
    { ...row('with its type', ''), says: /name .*language/s },
    { ...row('', '{}'), says: /name .*language/s },
  ]));

test('a field that is given twice is refused, since readers differ on which counts', () =>
  check(server, [
    row('the same', beside('"name":"a"')),
    row('another', beside('"name":"b"')),
    row('the same by an escape', beside('"n\\u0061me":"b"')),
    row('within', beside('"x":{"a":1,"a":2}')),
    row('within an array', beside('"x":[{"a":1,"a":1}]')),
    row('an empty name', beside('"":1,"":2')),
  ]));

test('what is nested too deeply is refused', () => {
  const nested = (depth: number, open: string, close: string): string =>
    beside(`"x":${open.repeat(depth)}${close.repeat(depth)}`);
  return check(server, [
    row('65 arrays', nested(65, '[', ']')),
    row('10,000 arrays', nested(10_000, '[', ']')),
    row('10,000 objects', beside(`"x":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`)),
    row('4,000,000 arrays that never close', beside(`"x":${'['.repeat(4_000_000)}`)),
  ]);
});

test('what is unusual and sound is taken', async () => {
  const fields = [
    '"x":-0',
    '"x":9007199254740993',
    '"x":1e300',
    '"x":0.1e-300',
    '"x":"\\ud83d\\ude00"',
    '"x":"\u{1f600}"',
    `"x":${'['.repeat(60)}${']'.repeat(60)}`,
    '"":1',
    '"__proto__":{"name":"b"}',
  ];
  const bodies = [
    ...fields.map(beside),
    ` \t\r\n${goodText}\r\n `,
    '{"n\\u0061me":"a","language":"typescript"}',
  ];
  await check(
    server,
    bodies.map((body) => ({ call, body, status: 200 })),
  );
  const { body } = await play(server, { call: 'GET /v1/task', status: 200 });
  assert.equal(body.data.total, 1, 'they all named the same task');
});

test('a body of another kind is refused, whatever is in it', () => {
  const kind = (type: string, body: string | Uint8Array = goodText): Scenario => ({
    call,
    about: type,
    headers: { 'content-type': type },
    body,
    status: 415,
  });
  return check(server, [
    kind('text/plain'),
    kind('text/plain;charset=UTF-8'),
    kind('text/json'),
    kind('application/x-www-form-urlencoded', 'name=a&language=typescript'),
    kind('multipart/form-data; boundary=x', `--x\r\n\r\n${goodText}\r\n--x--\r\n`),
    kind('application/octet-stream'),
    kind('application/jsonp'),
    kind('application/xml', '<name>a</name>'),
    kind('application/json; charset=utf-16', Buffer.from(goodText, 'utf16le')),
    kind('application/json; charset=latin1'),
    kind('application/json, text/plain'),
    kind(''),
    {
      call,
      about: 'packed',
      headers: { 'content-encoding': 'gzip', 'content-type': 'application/json' },
      body: gzipSync(goodText),
      status: 415,
    },
  ]);
});

test('a body without its type is refused', async () => {
  const answer = await server.request('POST', '/v1/task', { body: goodText });
  assert.equal(answer.status, 415);
});

test('the type of a body may be written in several ways', () =>
  check(
    server,
    ['application/json', 'Application/JSON', 'application/json;charset=utf-8']
      .concat(['application/json; charset=UTF-8', 'application/json; charset="utf-8"'])
      .map((type) => ({ call, headers: { 'content-type': type }, body: goodText, status: 200 })),
  ));

// Reading is linear, and stops at so many values. The limit leaves a slow machine several times
// what a quick one takes, and is far below what any quadratic reading of 8 MiB would need.
const cpuLimitMs = 250;

test('a body as large as may be costs little, and a larger one nothing', async () => {
  const bytesMax = 8 * 1024 * 1024;
  const filled = (unit: string): string => {
    const ends = beside('"x":[]').length;
    const count = Math.floor((bytesMax - ends) / (unit.length + 1));
    return beside(`"x":[${Array.from({ length: count }, () => unit).join(',')}]`);
  };
  const names = Array.from({ length: 500_000 }, (_, i) => `"k${i}":1`).join(',');
  const bodies: [string, string, number[]][] = [
    ['numbers', filled('1'), [400]],
    ['long numbers', filled('0.1234567890123456789e-12'), [400]],
    ['empty objects', filled('{}'), [400]],
    ['escapes', beside(`"x":"${'\\u0041'.repeat(1_300_000)}"`), [200, 400]],
    ['500,000 names', beside(names), [400]],
    ['a name of 8 MB', beside(`"${'n'.repeat(8_000_000)}":1`), [200, 400]],
    ['a text as a name', JSON.stringify({ ...good, name: 'n'.repeat(8_000_000) }), [400]],
    ['code that is no base64', JSON.stringify({ ...good, code: '!'.repeat(8_000_000) }), [400]],
    [
      'code that is too long',
      JSON.stringify({ ...good, code: base64('x'.repeat(6_000_000)) }),
      [400],
    ],
    ['10,000,000 numbers', beside(`"x":[${'1,'.repeat(10_000_000)}1]`), [413]],
  ];
  const before = await stateOf(server);
  for (const [about, body, statuses] of bodies) {
    const begun = cpuMsOf(server.pid);
    const { status } = await send(server, { call, body, status: 400 });
    assert.ok(statuses.includes(status), `${about}: ${status}`);
    const took = cpuMsOf(server.pid) - begun;
    assert.ok(took < cpuLimitMs, `${about}: ${took} ms of CPU`);
  }
  const after = await stateOf(server);
  assert.equal(withoutTimes(after), withoutTimes(before), 'no task but the known one was made');
});

const withoutTimes = (state: string): string => state.replaceAll(/"updatedAt":"[^"]*"/g, '');

/** The CPU time that a process has used; the kernel counts in hundredths of a second. */
function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
