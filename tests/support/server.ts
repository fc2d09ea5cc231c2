// A real Capstan server for a test: the binary, with data, profiles and settings of its own.
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { eventually, within } from './eventually.ts';
import { commandAs } from './other_user.ts';
import { descendantsOf, isAlive, type Process, processesThatName, tell } from './processes.ts';
import { type Answer, request, type RequestOptions } from './requests.ts';

/** The checkout that this file is part of. */
export const root = path.resolve(import.meta.dirname, '../..');

/** The binary under test: CAPSTAN_BINARY, else the release build. */
export const binary = path.resolve(root, process.env['CAPSTAN_BINARY'] ?? 'build/release/capstan');

export type ServerOptions = {
  /** The text of the configuration file (TOML). */
  config?: string;
  /** A data directory that outlives this server; otherwise it gets one that goes with it. */
  data?: string;
  /** Set in the server's environment. */
  env?: Record<string, string>;
  /** Runs it as the user and group of this number, which only root can do. */
  user?: number;
  /** How many files it may have open; else as many as we may. */
  openFiles?: number;
};

const startLimitMs = 60_000;
const stopLimitMs = 40_000; // the server's own grace time is 25 s
const leftoverLimitMs = 2_000;

/** Starts a server on a free port and waits until it accepts requests. */
export async function startServer(options: ServerOptions = {}): Promise<Server> {
  const server = new Server(options);
  await server.start();
  return server;
}

export class Server {
  /** "http://127.0.0.1:PORT"; another one after each start. */
  url = '';
  /** The first team's API key. */
  key = '';
  readonly dataDir: string;
  /** Where the server keeps the temporary folders of browsers and runners. */
  readonly temporaryDir: string;
  /** What it wrote to its error output so far, over all its starts: its log, a line of JSON each. */
  readonly log: string[] = [];

  /** A folder of this server's own, in which the others are; it goes with it. */
  readonly scratch: string;

  readonly #configFile: string;
  readonly #env: Record<string, string>;
  readonly #user: number | undefined;
  readonly #openFiles: number | undefined;
  #child: ChildProcess | undefined;
  #closed: Promise<unknown> = Promise.resolve();

  constructor({ config = '', data, env = {}, user, openFiles }: ServerOptions) {
    this.scratch = mkdtempSync(path.join(tmpdir(), 'capstan-test-'));
    chmodSync(this.scratch, 0o711); // browsers of a server that runs as root are other users
    this.dataDir = data ?? path.join(this.scratch, 'data');
    this.temporaryDir = path.join(this.scratch, 'p'); // Chromium's socket is in it: 107 bytes at most
    mkdirSync(this.temporaryDir);
    chmodSync(this.temporaryDir, 0o711);
    this.#configFile = path.join(this.scratch, 'capstan.toml');
    writeFileSync(this.#configFile, withOurs(config, this.temporaryDir));
    this.#env = env;
    this.#user = user;
    this.#openFiles = openFiles;
    if (user !== undefined) {
      for (const folder of [this.scratch, this.temporaryDir]) chownSync(folder, user, user);
    }
    process.once('exit', this.#cleanUp);
  }

  get pid(): number {
    assert.ok(this.#child?.pid, 'the server runs');
    return this.#child.pid;
  }

  /** Starts it, or starts it again on the same data after it has ended. */
  async start(): Promise<void> {
    assert.equal(this.#child, undefined, 'the server does not run yet');
    const address = ['--listen', '127.0.0.1:0', '--data', this.dataDir];
    const serve = ['serve', ...address, '--config', this.#configFile];
    const [program, ...words] = this.#program();
    const child = spawn(program, [...words, ...serve], {
      cwd: root,
      env: { ...cleanEnvironment(), ...this.#env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.#closed = once(child, 'close');
    this.#closed.catch(() => {}); // a child that cannot be spawned is told by #address
    createInterface(child.stderr).on('line', (line) => this.log.push(line));
    this.url = await this.#address(child);
    this.key = readFileSync(path.join(this.dataDir, 'api-key'), 'utf8').trim();
  }

  /** Sends a request with the first team's key, unless `key` says otherwise. */
  request(method: string, path: string, options: RequestOptions = {}): Promise<Answer> {
    const key = options.key === undefined ? this.key : options.key;
    return request(this.url, method, path, { ...options, key });
  }

  /** A key of that team, which is made if there is none of its name. */
  async createKey(team: string, label = 'test'): Promise<string> {
    const keys = ['keys', 'create', '--data', this.dataDir, '--team', team, '--name', label];
    return (await promisify(execFile)(binary, keys, { cwd: root })).stdout.trim();
  }

  /** The value of a metric, summed over its labels. */
  async metric(name: string): Promise<number> {
    const { text } = await this.request('GET', '/metrics');
    const values = [...text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (.+)$`, 'gm'))];
    assert.ok(values.length > 0, `/metrics has ${name}`);
    return values.reduce((sum, [, value]) => sum + Number(value), 0);
  }

  /** Ends it as an operator does, and asserts that it ends well and leaves nothing behind. */
  async stop(): Promise<void> {
    if (this.#child === undefined) return;
    const children = descendantsOf(this.pid);
    this.#child.kill('SIGTERM');
    const [code, signal] = await this.#ended(this.#child);
    this.#assertLogIsPure();
    const ending = signal ?? code;
    assert.equal(ending, 0, `the server's exit status; its log ends with\n${this.logTail()}`);
    await this.assertNothingIsLeft(children);
    assert.deepEqual(readdirSync(this.temporaryDir), [], 'no temporary folder is left');
    this.#cleanUp();
    process.removeListener('exit', this.#cleanUp);
  }

  /** Kills it as a crash would. Returns the processes that it had. */
  async kill9(): Promise<Process[]> {
    assert.ok(this.#child);
    const children = descendantsOf(this.pid);
    this.#child.kill('SIGKILL');
    const [code, signal] = await this.#ended(this.#child);
    this.#assertLogIsPure();
    assert.equal(signal ?? code, 'SIGKILL', `it had ended before:\n${this.logTail()}`);
    return children;
  }

  /** Asserts that within 2 s none of `children` lives, nor any process that names our folders. */
  async assertNothingIsLeft(children: Process[]): Promise<void> {
    let left: Process[] = [];
    await eventually(
      'no process of the server is left',
      () => {
        left = [...children.filter(isAlive), ...processesThatName(this.scratch)];
        return left.length === 0;
      },
      leftoverLimitMs,
    ).catch((late: Error) => assert.fail(`${late.message}; there are\n${tell(left)}`));
  }

  /** The last lines of its log, and before them all that is no log. */
  logTail(lines = 20): string {
    return [...this.#foreignLines(), ...this.log.filter(isLogged).slice(-lines)].join('\n');
  }

  /** What its own words follow. Each program becomes the next one, so the process id stays. */
  #program(): [string, ...string[]] {
    const bounds = this.#openFiles === undefined ? [] : [`--nofile=${this.#openFiles}`];
    const program =
      this.#user === undefined
        ? ['setpriv', '--pdeathsig', 'KILL', binary]
        : commandAs(this.#user, binary, path.join(this.scratch, 'checkout'));
    return ['prlimit', ...bounds, ...program];
  }

  /** What is no log is a sanitizer's report, a failed check or a library's complaint. */
  #foreignLines(): string[] {
    return this.log.filter((line) => !isLogged(line));
  }

  #assertLogIsPure(): void {
    const foreign = this.#foreignLines();
    assert.equal(foreign.length, 0, `the server wrote more than its log:\n${foreign.join('\n')}`);
  }

  async #address(child: ChildProcess): Promise<string> {
    assert.ok(child.stdout);
    const lines = createInterface(child.stdout);
    const told = new Promise<string>((resolve, reject) => {
      lines.on('line', (line) => {
        const [address] = /http:\/\/127\.0\.0\.1:\d+/.exec(line) ?? [];
        if (address !== undefined) resolve(address);
      });
      child.once('error', reject);
      child.once('close', (code, signal) => {
        reject(new Error(`the server ended (${signal ?? code}) at its start:\n${this.logTail()}`));
      });
    });
    return within('the server tells its address', startLimitMs, told);
  }

  async #ended(child: ChildProcess): Promise<[number | null, string | null]> {
    // Not 'exit', which may come before the last that it wrote.
    await within('the server ends', stopLimitMs, this.#closed);
    this.#child = undefined;
    return [child.exitCode, child.signalCode];
  }

  /** Also when the test process fails; when it is killed, setpriv has seen to its server. */
  readonly #cleanUp = (): void => {
    this.#child?.kill('SIGKILL');
    rmSync(this.scratch, { recursive: true, force: true });
  };
}

const isLogged = (line: string): boolean => line.startsWith('{');

/** The settings with our place for temporary folders, so that what is left can be told as ours. */
/** The configuration with this setting, in front of others of its section. */
function withSetting(config: string, section: string, setting: string): string {
  const heading = new RegExp(`^\\[${section}\\]$`, 'm');
  if (!heading.test(config)) return `${config}\n[${section}]\n${setting}\n`;
  return config.replace(heading, `[${section}]\n${setting}`);
}

/** What every test's server has: folders of its own, and a way to the tests' own sites. */
function withOurs(config: string, temporaryDir: string): string {
  const folder = `temporary_folder = ${JSON.stringify(temporaryDir)}`;
  const placed = withSetting(config, 'server', folder);
  const says = /^\[egress\]$[^[]*^allow\b/m.test(config);
  return says ? placed : withSetting(placed, 'egress', `allow = ["127.0.0.1", "[::1]"]`);
}

/** Settings of the person who runs the tests are none of the test's. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const foreign = /^(CAPSTAN|ANCHOR)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}
