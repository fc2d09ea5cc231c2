// Settings: what is bad is told with its place and starts nothing; flags beat the environment, and
// that beats the file; and what a first start leaves in its data folder.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { within } from '../support/eventually.ts';
import { binary, startServer } from '../support/server.ts';
import { quiet } from '../support/settings.ts';
import { capstan } from './scenario.ts';

let folder = '';
before(() => (folder = mkdtempSync(path.join(tmpdir(), 'capstan-settings-'))));
after(() => rmSync(folder, { recursive: true }));

const file = (): string => path.join(folder, 'capstan.toml');
const data = (): string => path.join(folder, 'data');

type Ended = { code: number; output: string; error: string };
type Given = { args?: string[]; env?: Record<string, string>; config?: string | Uint8Array };

/** Starts a server that should not start, and gives how it ended. */
async function fail({ args = [], env = {}, config }: Given): Promise<Ended> {
  if (config !== undefined) writeFileSync(file(), config);
  const all = [
    'serve',
    '--data',
    data(),
    ...(config === undefined ? [] : ['--config', file()]),
    ...args,
  ];
  const child = spawn(binary, all, { env: { PATH: '/usr/bin:/bin', ...env }, cwd: folder });
  const output = Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  try {
    const [code] = await within(`${all.join(' ')} ends`, 20_000, once(child, 'exit'));
    const [out, error] = await output;
    return { code, output: out, error };
  } finally {
    child.kill('SIGKILL');
  }
}

/** Exit status 2, a message that says what and where, and nothing started or made. */
async function refuse(
  about: string,
  given: Given,
  ...says: (string | RegExp)[]
): Promise<string[]> {
  const { code, output, error } = await fail(given);
  const problems = says
    .filter((each) => (typeof each === 'string' ? !error.includes(each) : !each.test(error)))
    .map((each) => `says nothing of ${each}`);
  if (code !== 2) problems.push(`ends with ${code}`);
  if (output !== '') problems.push(`prints ${output}`);
  if (existsSync(data())) problems.push('has made its data folder');
  rmSync(data(), { recursive: true, force: true });
  return problems.map((problem) => `${about}: ${problem}; it said ${error}`);
}

async function refuseAll(rows: [string, Given, ...(string | RegExp)[]][]): Promise<void> {
  const problems: string[] = [];
  for (const row of rows) problems.push(...(await refuse(...row)));
  assert.equal(problems.length, 0, problems.join('\n'));
}

const config = (text: string): Given => ({ config: text });

test('a bad setting in the file is refused with its line', () =>
  refuseAll([
    ['an unknown setting', config('[runs]\nwarm = 1\nwram = 2\n'), 'line 3', 'wram'],
    ['an unknown section', config('\n[rnus]\nwarm = 1\n'), /line [23]/, 'rnus'],
    ['a setting without a section', config('warm = 1\n'), 'line 1', 'warm'],
    ['a section within', config('[runs]\n[runs.more]\nwarm = 1\n'), /line [23]/, 'runs.more'],
    ['a text for a number', config('[runs]\nwarm = "1"\n'), 'line 2', 'runs.warm'],
    ['a number for a text', config('[server]\nlisten = 8700\n'), 'line 2', 'server.listen'],
    ['a number for a flag', config('[server]\ninsecure_listen = 1\n'), 'line 2', 'insecure_listen'],
    ['a text for a list', config('[server]\nhosts = "a"\n'), 'line 2', 'server.hosts'],
    ['a list of numbers', config('[egress]\nallow = [1]\n'), 'line 2', 'egress.allow'],
    ['a mixed list', config('[egress]\nallow = ["a", 1]\n'), 'line 2', 'egress.allow'],
    ['a broken number', config('[runs]\nmax_running = 1.5\n'), 'line 2', 'runs.max_running'],
    ['none at once', config('[runs]\nmax_running = 0\n'), 'line 2', 'runs.max_running'],
    ['a negative number', config('[runs]\nmax_queued = -1\n'), 'line 2', 'runs.max_queued'],
    ['a number of 2^31', config('[runs]\nwarm = 2147483648\n'), 'line 2', 'runs.warm'],
    ['a number of 2^64', config('[runs]\nwarm = 18446744073709551616\n'), 'line 2'],
    ['a time without a unit', config('[runs]\ntimeout = "5"\n'), 'line 2', 'runs.timeout'],
    ['an unknown unit', config('[runs]\n\n\ntimeout = "5x"\n'), 'line 4', 'runs.timeout'],
    ['a time that is a number', config('[runs]\ntimeout = 5\n'), 'line 2', 'runs.timeout'],
    ['no time', config('[runs]\ntimeout = "0s"\n'), 'line 2', 'runs.timeout'],
    ['a negative time', config('[runs]\ntimeout = "-5s"\n'), 'line 2', 'runs.timeout'],
    ['a time of ages', config('[runs]\ntimeout = "9223372036854775807h"\n'), 'line 2'],
    ['an unknown kind', config('[browser]\ndefault = "headles"\n'), 'line 2', 'headless'],
    ['an unknown network', config('[task]\nnetwork = "all"\n'), 'line 2', 'task.network'],
    ['an unknown level', config('[isolation]\nminimum = "some"\n'), 'line 2', 'isolation.minimum'],
    [
      'a port of 70000',
      config('[server]\nlisten = "127.0.0.1:70000"\n'),
      'line 2',
      'server.listen',
    ],
    ['a negative port', config('[server]\nlisten = "127.0.0.1:-1"\n'), 'line 2', 'server.listen'],
    ['no port', config('[server]\nlisten = "127.0.0.1"\n'), 'line 2', 'server.listen'],
    ['no host', config('[server]\nlisten = ":8700"\n'), 'line 2', 'server.listen'],
    ['an empty address', config('[server]\nlisten = ""\n'), 'line 2', 'server.listen'],
    ['a setting twice', config('[runs]\nwarm = 1\nwarm = 2\n'), 'line 3', 'warm'],
    ['no days', config('[recordings]\ndays = 0\n'), 'line 2', 'recordings.days'],
    ['no room', config('[recordings]\ngib_max = 0\n'), 'line 2', 'recordings.gib_max'],
    ['a section twice', config('[runs]\nwarm = 1\n[runs]\nmax_queued = 2\n'), 'line 3', 'runs'],
    ['no TOML', config('[runs]\nwarm: 1\n'), 'line 2'],
    ['a text that is not ended', config('[server]\nlisten = "127\n'), 'line 2'],
    ['JSON', config('{"runs":{"warm":1}}\n'), 'line 1'],
    ['no UTF-8', { config: Buffer.from('[runs]\nwarm = 1 # \xff\n', 'latin1') }, 'line 2'],
    ['a NUL', config('[runs]\nwarm = 1\0\n'), 'line 2'],
    ['100 MB', { config: Buffer.alloc(100_000_000, '#') }, file()],
  ]));

test('a file that cannot be read is refused by its name', async () => {
  const nowhere = path.join(folder, 'nowhere.toml');
  mkdirSync(path.join(folder, 'a-folder'));
  await refuseAll([
    ['no file', { args: ['--config', nowhere] }, nowhere],
    ['a folder', { args: ['--config', path.join(folder, 'a-folder')] }, 'a-folder'],
    ['an endless file', { args: ['--config', '/dev/zero'] }, '/dev/zero'],
    ['no file, by the environment', { env: { CAPSTAN_CONFIG: nowhere } }, nowhere],
  ]);
});

test('a bad flag or variable is refused by its name', () =>
  refuseAll([
    ['an unknown flag', { args: ['--lisen', '127.0.0.1:0'] }, '--lisen'],
    ['a flag without its value', { args: ['--listen'] }, '--listen'],
    ['an argument', { args: ['now'] }, 'now'],
    ['a port of 70000', { args: ['--listen', '127.0.0.1:70000'] }, '--listen'],
    ['no port', { args: ['--listen', 'localhost'] }, '--listen'],
    ['no number', { env: { CAPSTAN_RUNS_WARM: 'many' } }, 'CAPSTAN_RUNS_WARM'],
    ['an empty one', { env: { CAPSTAN_RUNS_WARM: '' } }, 'CAPSTAN_RUNS_WARM'],
    ['no time', { env: { CAPSTAN_RUNS_TIMEOUT: '5x' } }, 'CAPSTAN_RUNS_TIMEOUT'],
    [
      'no flag',
      { env: { CAPSTAN_SERVER_INSECURE_LISTEN: 'yes' } },
      'CAPSTAN_SERVER_INSECURE_LISTEN',
    ],
    ['an unknown one', { env: { CAPSTAN_RUNS_WRAM: '1' } }, 'CAPSTAN_RUNS_WRAM', 'CAPSTAN_RUNS_WARM'],
    ['no port in it', { env: { CAPSTAN_LISTEN: 'localhost' } }, 'CAPSTAN_LISTEN'],
  ]));

test('others are let in only by those who say so', () =>
  refuseAll([
    ['all of IPv4', { args: ['--listen', '0.0.0.0:0'] }, '--insecure-listen'],
    ['all of IPv6', { args: ['--listen', '[::]:0'] }, '--insecure-listen'],
    ['an address', { args: ['--listen', '192.0.2.1:0'] }, '--insecure-listen'],
    ['a name', { args: ['--listen', 'capstan.example.com:0'] }, 'capstan.example.com'],
    [
      'a name like an address',
      { args: ['--listen', '127.0.0.1.example.com:0'] },
      '127.0.0.1.example.com',
    ],
    ['by the file', config('[server]\nlisten = "0.0.0.0:0"\n'), '--insecure-listen'],
    ['by the environment', { env: { CAPSTAN_LISTEN: '0.0.0.0:0' } }, '--insecure-listen'],
  ]));

test('a server starts where it is told, and every setting is known', async () => {
  const all = `
[server]
listen = "127.0.0.1:1"
hosts = ["capstan.example.com"]
insecure_listen = false
[runs]
max_running = 8
max_queued = 1000
max_queued_per_team = 200
timeout = "3h"
warm = 0
log_bytes_max = 1048576
[sessions]
max = 64
max_per_team = 64
[recordings]
days = 30
gib_max = 10
[browser]
default = "headful"
warm_headful = 0
warm_headless = 0
chromium = "/usr/lib/chromium/chromium"
headless_shell = "/usr/lib/chromium/chromium-headless-shell"
[task]
network = "none"
code_bytes_max = 1048576
[egress]
allow = ["127.0.0.1:8080", "10.1.0.0/16"]
[isolation]
minimum = "none"
`;
  const server = await startServer({ config: all });
  assert.notEqual(new URL(server.url).port, '1', 'the flag beats the file');
  assert.equal((await server.request('GET', '/health')).status, 200);
  await server.stop();
});

test('flags beat the environment, which beats the file', async () => {
  const config = '[runs]\nwarm = 1\n[browser]\nwarm_headful = 0\nwarm_headless = 0\n';
  const env = { CAPSTAN_RUNS_WARM: '0', CAPSTAN_LISTEN: '127.0.0.1:1', CAPSTAN_DATA: '/nowhere' };
  const server = await startServer({ config, env });
  assert.notEqual(new URL(server.url).port, '1');
  const { body } = await server.request('GET', '/health');
  assert.equal(body.warm.runners, 0);
  await server.stop();
});

test('a first start makes a folder and a key for its owner; later ones keep them', async () => {
  const kept = path.join(folder, 'kept', 'deeper');
  const first = await startServer({ config: quiet(), data: kept });
  assert.equal(statSync(kept).mode & 0o777, 0o700);
  assert.equal(statSync(path.join(kept, 'api-key')).mode & 0o777, 0o600);
  const { key } = first;
  await first.stop();
  const second = await startServer({ config: quiet(), data: kept });
  assert.equal(second.key, key);
  assert.equal((await second.request('GET', '/v1/task')).status, 200);
  assert.equal(readFileSync(path.join(kept, 'api-key'), 'utf8').trim(), key);
  await second.stop();
});

test('a second server on the same data does not start', async () => {
  const server = await startServer({ config: quiet() });
  const child = spawn(binary, ['serve', '--data', server.dataDir, '--listen', '127.0.0.1:0'], {
    env: { PATH: '/usr/bin:/bin' },
  });
  const error = textOf(child.stderr);
  const [code] = await within('it gives up', 20_000, once(child, 'exit'));
  assert.equal(code, 1, await error);
  assert.match(await error, /in use/);
  assert.doesNotMatch(await error, /Sanitizer|runtime error/, 'whose status is 1 as well');
  assert.equal((await server.request('GET', '/v1/task')).status, 200, 'the first one goes on');
  await server.stop();
});

test('a port that is taken is told, and nothing is left running', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as AddressInfo;
  const { code, output, error } = await fail({ args: ['--listen', `127.0.0.1:${port}`] });
  taken.close();
  assert.equal(code, 7, error);
  assert.equal(output, '');
  assert.match(error, /in use/);
});

test('the program tells what it is and how it is used', async () => {
  assert.match(await capstan('--version'), /^\d+\.\d+\.\d+$/);
  assert.match(await capstan('--help'), /serve[^]*keys/);
  assert.match(await capstan('serve', '--help'), /--listen[^]*--insecure-listen/);
  for (const args of [[], ['srve'], ['keys'], ['keys', 'revoke']]) {
    await assert.rejects(capstan(...args), { code: 2 }, args.join(' '));
  }
});
