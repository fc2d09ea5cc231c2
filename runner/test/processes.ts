/** The real bundler and the real worker as processes, spoken to as the server speaks to them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { OutcomeFrame, ReadyFrame, RunFrame, ServerFrame } from '../src/frames.ts';

type WorkerFrame = ReadyFrame | OutcomeFrame;

export const home = fileURLToPath(new URL('..', import.meta.url));
export const outputBytesMax = 10 * 1024 * 1024;

/** What a worker starts with, and what its task sees of that. */
export const workerEnvironment = {
  PATH: '/usr/bin:/bin',
  HOME: '/tmp',
  TZ: 'UTC',
  NODE_ENV: 'production',
  LANG: 'C.UTF-8',
};

export interface BundleAnswer {
  ok: boolean;
  code: string;
  errors: { message: string; line: number; column: number; text: string }[];
}

/** Puts the question to the bundler; `exitCode` is there to be checked beside the answer. */
export async function askBundler(code: string, name = 'page-title') {
  const bundler = spawn(process.execPath, [`${home}dist/bundle.mjs`], { env: workerEnvironment });
  bundler.stdin.end(JSON.stringify({ name, code }));
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(bundler.stdout),
    text(bundler.stderr),
    once(bundler, 'close'),
  ]);
  return { answer: JSON.parse(stdout) as BundleAnswer, stdout, stderr, exitCode };
}

export async function bundled(code: string, name?: string): Promise<string> {
  const { answer } = await askBundler(code, name);
  if (!answer.ok) throw new Error(`the bundler refused: ${JSON.stringify(answer.errors)}`);
  return answer.code;
}

export type Order = Partial<Omit<RunFrame, 'type' | 'code'>>;

/** An order to run this, as the server would send it. */
export function orderFor(code: string, order: Order = {}): RunFrame {
  const context = { inputs: {}, sessionId: 'session-1', executionId: 'execution-1' };
  return { type: 'run', name: 'page-title', code, env: {}, context, outputBytesMax, ...order };
}

/** One worker process; `await using` ends it if the test has not. */
export class WorkerProcess implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly stdout: Promise<string>;
  readonly stderr: Promise<string>;
  /** Exit code and signal, once the process has ended and its pipes are read. */
  readonly closed: Promise<[code: number | null, signal: string | null]>;
  readonly #socket: Socket;
  readonly #frames: AsyncIterator<WorkerFrame>;

  /** `stdout` is a descriptor of the test's own, for one that wants to see when bytes get there. */
  constructor({ stdout = 'pipe' }: { stdout?: 'pipe' | number } = {}) {
    this.child = spawn(process.execPath, ['--max-semi-space-size=2', `${home}dist/worker.mjs`], {
      stdio: ['ignore', stdout, 'pipe', 'pipe'],
      env: { ...workerEnvironment, SERVER_SECRET: 'not for tasks' },
    });
    this.closed = once(this.child, 'close') as Promise<[number | null, string | null]>;
    this.stdout = this.child.stdout ? text(this.child.stdout) : Promise.resolve('');
    this.stderr = text(this.child.stderr!);
    this.#socket = this.child.stdio[3] as Socket;
    this.#frames = frames(this.#socket);
  }

  static async ready(options?: { stdout: number }): Promise<WorkerProcess> {
    const worker = new WorkerProcess(options);
    const frame = await worker.nextFrame();
    if (frame?.type !== 'ready') throw new Error(`not ready: ${JSON.stringify(frame)}`);
    return worker;
  }

  /** Undefined once the worker has closed its end. */
  async nextFrame(): Promise<WorkerFrame | undefined> {
    const { value, done } = await this.#frames.next();
    return done ? undefined : value;
  }

  /** All in one write, so that they arrive together. */
  send(...frames: ServerFrame[]): void {
    this.#socket.write(frames.map((frame) => JSON.stringify(frame) + '\n').join(''));
  }

  hangUp(): void {
    this.#socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.closed;
  }
}

async function* frames(socket: Socket): AsyncGenerator<WorkerFrame> {
  let unfinished = '';
  for await (const chunk of socket.setEncoding('utf8')) {
    const lines = (unfinished + chunk).split('\n');
    unfinished = lines.pop() ?? '';
    for (const line of lines) yield JSON.parse(line);
  }
  if (unfinished !== '') throw new Error(`half a frame: ${unfinished.slice(0, 200)}`);
}

/** Bundles a task, runs it in a worker of its own, and waits until that has ended. */
export async function runTask(source: string, order: Order = {}) {
  const [code, worker] = await Promise.all([bundled(source, order.name), WorkerProcess.ready()]);
  await using ending = worker;
  ending.send(orderFor(code, order));
  const outcome = await worker.nextFrame();
  const [exitCode] = await worker.closed;
  return { outcome, exitCode, stdout: await worker.stdout, stderr: await worker.stderr };
}
