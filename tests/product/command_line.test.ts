// The program's own commands against a real server, as a person or a script uses them: what they
// print where, and with which number they end.
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, test, type TestContext } from 'node:test';
import { eventually, within } from '../support/eventually.ts';
import { binary, root, type Server, startServer } from '../support/server.ts';
import { quiet } from '../support/settings.ts';
import { base64 } from '../support/tasks.ts';

const config = quiet({ runs: { timeout: '10s', warm: 1 } });
const server = await startServer({ config });
const folder = mkdtempSync(path.join(tmpdir(), 'capstan-command-'));
after(async () => {
  rmSync(folder, { recursive: true });
  await server.stop();
});

const limit = { timeout: 60_000 };

type Ended = { code: number; out: string; err: string };
type Environment = Record<string, string>;

/** How a command finds the server, unless a test wants it to look elsewhere. */
const here = (): Environment => ({ CAPSTAN_URL: server.url, CAPSTAN_API_KEY: server.key });
const bare = { PATH: '/usr/bin:/bin' };

function capstan(args: string[], env: Environment = here()): Promise<Ended> {
  const options = { cwd: folder, env: { ...bare, ...env }, timeout: 50_000 };
  return new Promise((resolve, reject) => {
    execFile(binary, args, options, (error, out, err) => {
      const code = error === null ? 0 : error.code;
      if (typeof code !== 'number') reject(error);
      else resolve({ code, out, err });
    });
  });
}

/** The same, of a command that must succeed; what it printed. */
async function done(args: string[], env?: Environment): Promise<string> {
  const { code, out, err } = await capstan(args, env);
  assert.equal(code, 0, `${args.join(' ')} said ${err}`);
  return out;
}

/** Writes FILE.ts and pushes it. */
async function push(name: string, code: string, ...flags: string[]): Promise<string> {
  writeFileSync(path.join(folder, `${name}.ts`), code);
  return done(['task', 'push', `${name}.ts`, ...flags]);
}

const linesOf = (text: string): string[] => text.trimEnd().split('\n');

const greets = `
  console.log('to standard output');
  console.error('to standard error');
  export default async () => ({ hello: process.env.ANCHOR_NAME, more: process.env.ANCHOR_MORE });`;

const waits = `
  console.log('begun');
  export default ({ signal }) =>
    new Promise((resolve) => signal.addEventListener('abort', resolve));`;

test('a file becomes a task of its name, and a version if that is wanted', limit, async () => {
  const pushed = await push('greets', greets);
  assert.match(pushed, /^NAME +VERSION +ID\ngreets +draft +[0-9a-f-]{36}\n$/);
  assert.match(await push('greets', greets, '--deploy'), /^greets +1 /m);
  assert.match(await push('greets', greets, '--name', 'other', '--deploy'), /^other +1 /m);

  const shown = JSON.parse(await done(['task', 'show', 'other', '--json']));
  assert.equal(shown.code, base64(greets));
  assert.equal(shown.latestVersion, '1');
  const stored = JSON.parse(await done(['task', 'push', 'greets.ts', '--json']));
  assert.equal(stored.name, 'greets');
});

test('a run prints its output to standard output, and nothing else there', limit, async () => {
  await push('greets', greets);
  const inputs = ['-i', 'ANCHOR_NAME=you=me', '--input', 'ANCHOR_MORE='];
  const run = await capstan(['task', 'run', ...inputs, 'greets']);
  assert.deepEqual([run.code, run.out], [0, '{"hello":"you=me","more":""}\n']);
  const [first, ...printed] = linesOf(run.err);
  assert.deepEqual(printed.toSorted(), ['to standard error', 'to standard output']);
  const [, id] = /^capstan: run ([0-9a-f-]{36})$/.exec(first!) ?? [];
  assert.ok(id, first);
  assert.match(await done(['run', 'show', 'greets', id]), /^status +success$/m);

  const quiet = await capstan(['task', 'run', 'greets', '--quiet']);
  assert.deepEqual(quiet, { code: 0, out: '{}\n', err: '' });

  await push('nothing', 'export default async () => {};');
  assert.deepEqual(await capstan(['task', 'run', 'nothing', '-q']), { code: 0, out: '', err: '' });

  const json = await capstan(['task', 'run', 'nothing', '--json']);
  assert.equal(json.err, '', 'the JSON has the id');
  const execution = JSON.parse(await done(['task', 'run', 'greets', '--json']));
  assert.equal(execution.status, 'success');
  assert.equal(execution.output, '{}');
});

test('a version can be named', limit, async () => {
  await push('versions', 'export default async () => 1;', '--deploy');
  await push('versions', 'export default async () => 2;', '--deploy');
  await push('versions', 'export default async () => "draft";');
  assert.equal(await done(['task', 'run', 'versions']), '2\n');
  assert.equal(await done(['task', 'run', 'versions', '--version', '1']), '1\n');
  assert.equal(await done(['task', 'run', 'versions', '--version', 'draft']), '"draft"\n');
});

test('a large output arrives whole', limit, async () => {
  await push('large', "export default async () => 'ü\"'.repeat(1_000_000);");
  const child = spawn(binary, ['task', 'run', 'large'], { env: { ...bare, ...here() } });
  let bytes = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) bytes += chunk;
  assert.equal(JSON.parse(bytes), 'ü"'.repeat(1_000_000));
});

test('each way to end has its number', limit, async (t) => {
  const ends = async (code: number, args: string[], says: RegExp, env?: Environment) => {
    await t.test(`${code}: ${args.join(' ')}`, async () => {
      const ended = await capstan(args, env);
      assert.equal(ended.code, code, ended.err);
      assert.equal(ended.out, '');
      assert.match(ended.err, says);
    });
  };
  await push('greets', greets);
  await push('throws', 'export default async () => { throw new Error("no such luck"); };');
  await push('waits', waits);
  writeFileSync(path.join(folder, 'broken.ts'), 'export default async () => {\n  let = ;\n};\n');
  writeFileSync(path.join(folder, 'two words.ts'), greets);
  mkdirSync(path.join(folder, 'folder.ts'));

  await ends(1, ['task', 'run', 'throws'], /failure: Error: no such luck\n.*throws\.ts:1:/s);

  await ends(2, ['task', 'run'], /NAME/);
  await ends(2, ['task', 'rnu', 'greets'], /'rnu' is not known/);
  await ends(2, ['task', 'run', 'greets', '--wiat'], /--wiat/);
  await ends(2, ['task', 'run', 'greets', '-i', 'ANCHOR_NAME'], /ANCHOR_NAME=VALUE/);
  await ends(2, ['task', 'run', 'greets', '--timeout', '5'], /--timeout.*5s/);
  await ends(2, ['task', 'run', 'greets', '--async', '--timeout', '5s'], /--timeout/);
  await ends(2, ['task', 'push', 'nowhere.ts'], /nowhere\.ts/);
  await ends(2, ['task', 'push', 'folder.ts'], /folder\.ts/);
  await ends(2, ['task', 'list', '--url', 'file:///etc/hostname'], /is no address/);

  const aFile = path.join(folder, 'greets.ts');
  const readOnly = '/proc/self'; // for root, too
  for (const data of [aFile, path.join(aFile, 'data'), readOnly]) {
    for (const command of ['serve', 'keys list']) {
      const args = [...command.split(' '), '--data', data];
      await ends(2, args, new RegExp(`data folder ${data}: `), {});
    }
  }
  const damaged = path.join(folder, 'damaged');
  mkdirSync(damaged);
  writeFileSync(path.join(damaged, 'capstan.db'), 'x'.repeat(10_000));
  const secret = `key-1:${randomBytes(32).toString('base64')}\n`;
  writeFileSync(path.join(damaged, 'secret-key'), secret, { mode: 0o600 });
  const named = new RegExp(`${damaged}/capstan\\.db; restore a backup of it, or move it away`);
  await ends(2, ['serve', '--listen', '127.0.0.1:0', '--data', damaged], named, {});

  await ends(4, ['task', 'list'], /CAPSTAN_API_KEY/, { CAPSTAN_URL: server.url });
  await ends(4, ['task', 'list', '--api-key', 'wrong'], /not valid/);

  await ends(5, ['task', 'push', 'broken.ts'], /line 2, column 9/);
  await ends(5, ['task', 'push', 'two words.ts'], /name must have/);
  await ends(5, ['task', 'run', 'greets', '-i', 'NAME=you'], /"NAME" must be ANCHOR_/);
  await ends(5, ['task', 'run', 'greets', '--version', 'new'], /version must be/);

  await ends(6, ['task', 'run', 'waits', '--timeout', '500ms'], /the run goes on: capstan run show/);

  const nobody = createServer().listen(0, '127.0.0.1');
  await once(nobody, 'listening');
  const { port } = nobody.address() as AddressInfo;
  nobody.close();
  await ends(7, ['task', 'list', '--url', `http://127.0.0.1:${port}`], /can't reach/);

  await ends(8, ['task', 'run', 'nowhere'], /nowhere/);
  await ends(8, ['task', 'show', 'nowhere'], /nowhere/);
  await ends(8, ['task', 'run', 'greets', '--version', '7'], /7/);
  await ends(8, ['run', 'show', 'greets', 'no-id'], /no-id/);

  await ends(9, ['task', 'run', 'waits'], /timeout:/);
});

test('a run that somebody cancels ends with 3', limit, async (t) => {
  await push('waits', waits, '--deploy');
  const { child, line } = start(t, binary, ['task', 'run', 'waits'], here());
  const ended = once(child, 'exit');
  await line(/begun/, 'stderr');
  const { results } = JSON.parse(await done(['run', 'list', 'waits', '--json']));
  assert.equal(results[0].status, 'running');
  await cancel('waits', results[0].id);
  assert.deepEqual(await within('the command ends', 20_000, ended), [3, null]);
});

test('tasks and runs are listed and shown', limit, async () => {
  await push('listed', greets, '--deploy');
  await push('listed', 'export default async () => { throw new Error("boom"); };', '--deploy');
  const id = (await done(['task', 'run', 'listed', '--async', '--version', '1'])).trim();
  await done(['run', 'logs', 'listed', id, '--follow']);
  assert.equal((await capstan(['task', 'run', 'listed'])).code, 1);

  const [head, ...tasks] = linesOf(await done(['task', 'list']));
  assert.match(head!, /^NAME +LATEST +UPDATED +ID$/);
  assert.match(tasks[0]!, /^listed +2 /, 'newest first');
  const { tasks: all, total } = JSON.parse(await done(['task', 'list', '--json']));
  assert.equal(all.length, total);
  assert.equal(tasks.length, total);

  const shown = await done(['task', 'show', 'listed']);
  assert.match(shown, /^name +listed\n(.*\n)*\nVERSION +CREATED .*\n(.*\n)*2 .*\n1 /);

  const runs = linesOf(await done(['run', 'list', 'listed']));
  assert.match(runs[0]!, /^ID +VERSION +STATUS +STARTED +TOOK$/);
  assert.match(runs[1]!, / 2 +failure .*\d ms$/);
  assert.match(runs[2]!, new RegExp(`^${id} +1 +success .*\\d ms$`));
  assert.equal(linesOf(await done(['run', 'list', 'listed', '--limit', '1'])).length, 2);

  const run = await done(['run', 'show', 'listed', id]);
  assert.match(run, new RegExp(`^id +${id}\nversion +1\nstatus +success\n(.*\n)*\n{}\n$`));
  assert.equal(JSON.parse(await done(['run', 'show', 'listed', id, '--json'])).status, 'success');
  const failed = runs[1]!.split(' ')[0]!;
  assert.match(await done(['run', 'show', 'listed', failed]), /failure\n(.*\n)*\nError: boom\n/);

  const logs = linesOf(await done(['run', 'logs', 'listed', id])).map((each) => each.slice(26));
  assert.deepEqual(logs.toSorted(), ['to standard error', 'to standard output']);
  const log = JSON.parse(await done(['run', 'logs', 'listed', id, '--json']));
  assert.equal(log.logs.length, 2);
});

test('runs of a draft alone are an empty list with a word on why', limit, async () => {
  await push('drafted', greets);
  await done(['task', 'run', 'drafted']);
  const none = await capstan(['run', 'list', 'drafted']);
  assert.deepEqual([none.code, none.out], [0, 'ID  VERSION  STATUS  STARTED  TOOK\n']);
  assert.match(none.err, /^capstan: .*draft.*\n$/);
  const json = await capstan(['run', 'list', 'drafted', '--json']);
  assert.deepEqual([json.err, JSON.parse(json.out).results], ['', []]);
});

test('a run that waits was accepted and has not started', limit, async (t) => {
  const narrow = await startServer({ config: config.replace('[runs]', '[runs]\nmax_running = 1') });
  t.after(() => narrow.stop());
  const env = { CAPSTAN_URL: narrow.url, CAPSTAN_API_KEY: narrow.key };
  writeFileSync(path.join(folder, 'waits.ts'), waits);
  await done(['task', 'push', 'waits.ts', '--deploy'], env);
  const start = async () => (await done(['task', 'run', 'waits', '--async'], env)).trim();
  const [runs, waiting] = [await start(), await start()];
  const show = (id: string) => done(['run', 'show', 'waits', id], env);
  assert.match(await show(runs), /^status +running\nstarted +\S+Z$/m);
  assert.match(await show(waiting), /^status +queued\naccepted +\S+Z$/m);
  const listed = linesOf(await done(['run', 'list', 'waits'], env));
  assert.match(listed[1]!, new RegExp(`^${waiting} +1 +queued$`));
  assert.match(listed[2]!, new RegExp(`^${runs} +1 +running +\\S+Z$`));
  for (const id of [waiting, runs]) await cancel('waits', id, narrow);
  assert.match(await show(waiting), /^status +cancelled\naccepted +\S+Z$/m, 'it never did');
});

test('more tasks than the API lists at once are listed', limit, async () => {
  const key = await server.createKey('many');
  const body = (index: number) => ({ name: `task-${index}`, language: 'typescript' });
  for (let index = 0; index < 103; index += 1) {
    const made = await server.request('POST', '/v1/task', { key, body: body(index) });
    assert.equal(made.status, 200, made.text);
  }
  const [, ...tasks] = linesOf(await done(['task', 'list', '--api-key', key]));
  assert.deepEqual(new Set(tasks.map((each) => each.split(' ')[0])).size, 103);
  assert.match(tasks[0]!, /^task-102 +none /, 'none of them has a version');
});

test('a log is followed while its run goes on', limit, async (t) => {
  await push('waits', waits, '--deploy');
  const id = (await done(['task', 'run', 'waits', '--async'])).trim();
  const { child, line } = start(t, binary, ['run', 'logs', 'waits', id, '-f'], here());
  const ended = once(child, 'exit');
  assert.match(await line(/begun/), /^\d{4}-\d\d-\d\dT[\d:.]+Z {2}begun$/);
  assert.match(await done(['run', 'show', 'waits', id]), /status +running/);
  await cancel('waits', id);
  assert.deepEqual(await within('the command ends', 20_000, ended), [0, null]);
});

test("a flag beats our variables, which beat the SDK's", limit, async () => {
  const wrong = { CAPSTAN_URL: 'http://127.0.0.1:1', CAPSTAN_API_KEY: 'wrong' };
  await done(['task', 'list', '--url', `${server.url}/`, '--api-key', server.key], wrong);
  const sdk = { ANCHORBROWSER_BASE_URL: server.url, ANCHORBROWSER_API_KEY: server.key };
  await done(['task', 'list'], sdk);
  assert.equal((await capstan(['task', 'list'], { ...sdk, ...wrong })).code, 7);
  // A proxy is for what is elsewhere.
  await done(['task', 'list'], { ...here(), http_proxy: 'http://127.0.0.1:1' });
});

test('a result that cannot be written is not a success', limit, async () => {
  await push('greets', greets);
  const full = openSync('/dev/full', 'w');
  const child = spawn(binary, ['task', 'run', 'greets', '-q'], {
    cwd: folder,
    env: { ...bare, ...here() },
    stdio: ['ignore', full, 'ignore'],
  });
  assert.deepEqual(await within('the command ends', 20_000, once(child, 'exit')), [1, null]);
});

test('keys are made, used and revoked while the server runs', limit, async () => {
  const data = ['--data', server.dataDir];
  const create = ['keys', 'create', ...data, '--team', 'crew', '--name', 'Köln laptop'];
  const key = (await done(create, {})).trim();
  assert.equal(await done(['task', 'list', '--api-key', key]), 'NAME  LATEST  UPDATED  ID\n');

  const listed = await done(['keys', 'list', ...data], {});
  assert.match(listed, /^ID +TEAM +NAME +CREATED +REVOKED\n/);
  const [, id] = /^([0-9a-f-]{36}) +crew +Köln laptop +\S+Z$/m.exec(listed) ?? [];
  assert.ok(id, listed);
  assert.ok(!listed.includes(key));
  const { keys } = JSON.parse(await done(['keys', 'list', '--json', ...data], {}));
  assert.ok(keys.some((each: { id: string }) => each.id === id));

  assert.equal(await done(['keys', 'revoke', id, ...data], {}), '');
  assert.equal((await capstan(['task', 'list', '--api-key', key])).code, 4);
  assert.match(await done(['keys', 'list', ...data], {}), new RegExp(`^${id}.*Z +\\S+Z$`, 'm'));
  assert.equal((await capstan(['keys', 'revoke', id, ...data], {})).code, 8);
  assert.equal((await capstan(['keys', 'create', '--team', '', ...data], {})).code, 5);
});

test('keys are made before, while and after a server runs, wherever it listens', limit, async (t) => {
  const dir = path.join(folder, 'kept');
  const data = ['--data', dir];
  const names = async (): Promise<string[]> => {
    const { keys } = JSON.parse(await done(['keys', 'list', '--json', ...data], {}));
    return keys.map((each: { name: string }) => each.name);
  };
  await done(['keys', 'create', ...data, '--name', 'before'], {});
  assert.equal((await capstan(['keys', 'create', '--team', '', ...data], {})).code, 5);
  for (const listen of ['127.0.0.2:0', '0.0.0.0:0']) {
    const serve = ['serve', '--listen', listen, '--insecure-listen', ...data];
    const env = { CAPSTAN_RUNS_WARM: '0', CAPSTAN_BROWSER_WARM_HEADFUL: '0' };
    const settings = { ...env, CAPSTAN_BROWSER_WARM_HEADLESS: '0' };
    const { child, line } = start(t, binary, serve, settings);
    const ended = once(child, 'exit');
    await line(/http:/);
    await done(['keys', 'create', ...data, '--name', `at ${listen}`], {});
    // The first server is killed, and leaves behind how it was reached.
    child.kill(listen === '127.0.0.2:0' ? 'SIGKILL' : 'SIGTERM');
    await within('the server ends', 40_000, ended);
    await done(['keys', 'create', ...data, '--name', `after ${listen}`], {});
  }
  const made = ['at 127.0.0.2:0', 'after 127.0.0.2:0', 'at 0.0.0.0:0', 'after 0.0.0.0:0'];
  assert.deepEqual(await names(), ['before', 'first key', ...made]);
});

test('a command that comes while the server stops gets its turn afterwards', limit, async (t) => {
  const dir = path.join(folder, 'stopping');
  const other = await startServer({ config, data: dir });
  t.after(() => other.stop());
  const env = { CAPSTAN_URL: other.url, CAPSTAN_API_KEY: other.key };
  writeFileSync(path.join(folder, 'waits.ts'), waits);
  await done(['task', 'push', 'waits.ts'], env);
  const { line } = start(t, binary, ['task', 'run', 'waits'], env);
  await line(/begun/, 'stderr');
  const stopped = other.stop(); // takes as long as the run
  const key = (await done(['keys', 'create', '--data', dir, '--name', 'late'], {})).trim();
  assert.match(key, /^capstan_/);
  await stopped;
});

test('a server without its browsers starts, and its log names them', limit, async (t) => {
  const programs = 'chromium = "/no/browser"\nheadless_shell = "/no/shell"\n';
  const other = await startServer({ config: `[browser]\n${programs}` });
  t.after(() => other.stop());
  const missing = other.log.find((line) => line.includes('chromium_missing'));
  const reason = "can't start /no/shell: No such file or directory";
  assert.equal(missing && JSON.parse(missing).message, reason);
  const names = (line: string) => line.includes("can't start /no/browser: No such file");
  await eventually('the log names the other one', () => other.log.some(names), 10_000);
  const env = { CAPSTAN_URL: other.url, CAPSTAN_API_KEY: other.key };
  writeFileSync(path.join(folder, 'greets.ts'), greets);
  await done(['task', 'push', 'greets.ts'], env);
  assert.equal(await done(['task', 'run', 'greets', '-i', 'ANCHOR_NAME=you'], env), '{"hello":"you"}\n');
});

test('the doctor finds this machine well, and says what is not', limit, async () => {
  const scratch = path.join(server.temporaryDir, '..');
  const file = path.join(folder, 'doctor.toml');
  const well = `[server]\ntemporary_folder = ${JSON.stringify(scratch)}\n`;
  writeFileSync(file, well);
  const args = ['doctor', '--config', file, '--data', path.join(folder, 'new')];
  const found = await capstan(args, {});
  assert.deepEqual([found.code, found.err], [0, ''], found.out);
  const lines = linesOf(found.out);
  const whats = ['data folder', 'temporary folder', 'shared memory', 'open files'].concat([
    'headful browser',
    'headless browser',
    'browser sandbox',
    'screens',
    'recordings',
    'runner',
    'isolation of tasks',
    'isolation of browsers',
  ]);
  for (const what of whats) {
    assert.ok(
      lines.some((each) => new RegExp(`^(ok|warn) +${what}: `).test(each)),
      `there is no good word on ${what}:\n${lines.join('\n')}`,
    );
  }

  const nowhere = path.join(folder, 'nowhere');
  const noBrowser = 'chromium = "/no/browser"\nxvfb = "/no/Xvfb"';
  const noEncoder = '[recordings]\nffmpeg = "/no/ffmpeg"';
  const ill = `${well}[browser]\n${noBrowser}\n${noEncoder}\n[runner]\nfolder = "${nowhere}"\n`;
  writeFileSync(file, `${ill}[isolation]\nminimum = "strict"\n`);
  const { code, out, err } = await capstan([...args, '--json'], {});
  assert.deepEqual([code, err], [1, '']);
  const { ok, findings } = JSON.parse(out);
  assert.equal(ok, false);
  const failed = findings.filter((each: { verdict: string }) => each.verdict === 'fail');
  const told = failed.map((each: { what: string }) => each.what);
  assert.deepEqual(told.slice(0, 2), ['headful browser', 'runner']);
  for (const [what, trouble] of [['screens', '/no/Xvfb'], ['recordings', '/no/ffmpeg']] as const) {
    const finding = findings.find((each: { what: string }) => each.what === what);
    assert.equal(finding.verdict, 'warn');
    assert.ok(finding.found.includes(trouble) && finding.mend, JSON.stringify(finding));
  }
  for (const each of failed) assert.ok(each.mend, `${each.what} can be mended`);
  assert.equal(
    failed[0].found,
    "no browser could be started: can't start /no/browser: No such file or directory",
  );

  writeFileSync(file, `[server]\ntemporary_folder = "${nowhere}"\n`);
  const without = await capstan(args, {});
  assert.equal(without.code, 1);
  assert.match(without.out, /^fail +temporary folder: .*\n +mend: set server\.temporary_folder/m);
});

/** Ends a run by its task's name. */
async function cancel(task: string, id: string, at: Server = server): Promise<void> {
  const env = { CAPSTAN_URL: at.url, CAPSTAN_API_KEY: at.key };
  const { id: taskId } = JSON.parse(await done(['task', 'show', task, '--json'], env));
  const path = `/v1/task/${taskId}/executions/${id}/cancel`;
  const cancelled = await at.request('POST', path);
  assert.equal(cancelled.status, 200, cancelled.text);
}

type Started = {
  child: ChildProcess;
  /** Waits for the first line that matches, from where the last one was. */
  line: (pattern: RegExp, stream?: 'stdout' | 'stderr') => Promise<string>;
};

/** Starts a command that goes on; it ends with the test. */
function start(t: TestContext, program: string, args: string[], env: Environment): Started {
  const command = ['--pdeathsig', 'KILL', program, ...args];
  const child = spawn('setpriv', command, { cwd: root, env: { ...bare, ...env } });
  t.after(() => child.kill('SIGKILL'));
  const lines = {
    stdout: createInterface(child.stdout)[Symbol.asyncIterator](),
    stderr: createInterface(child.stderr)[Symbol.asyncIterator](),
  };
  const find = async (pattern: RegExp, stream: 'stdout' | 'stderr'): Promise<string> => {
    for (;;) {
      const { value, done } = await lines[stream].next();
      if (done) assert.fail(`${args.join(' ')} ended without saying ${pattern}`);
      if (pattern.test(value)) return value;
    }
  };
  return {
    child,
    line: (pattern, stream = 'stdout') => within(`${pattern}`, 30_000, find(pattern, stream)),
  };
}
