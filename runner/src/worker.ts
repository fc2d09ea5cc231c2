/**
 * One warm process that runs one task and ends. The server starts it, waits for "ready", sends its
 * order, and reads the outcome (`frames.ts`). What the task prints goes to the pipes at 1 and 2.
 */
import { flushCompileCache } from 'node:module';
import { failureOf } from './failure.ts';
import { type OutcomeFrame, type RunFrame, ServerLink } from './frames.ts';
import { outputOf } from './output.ts';
import { loadTask } from './task_module.ts';
import { warmUp } from './warm_up.ts';

/** What of the worker's own environment a task may see. */
const environmentKept = [
  ...['PATH', 'HOME', 'TMPDIR', 'TZ', 'NODE_ENV', 'LANG'],
  // The way out, where there is one.
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'],
  'NODE_USE_ENV_PROXY',
];

const cancelled = new AbortController();
let outcomeSent = false;

Error.stackTraceLimit = 30; // frames of Node itself, which are left out later, count too
for (const stream of [process.stdout, process.stderr]) writeAtOnce(stream);
await warmUp();
flushCompileCache(); // where NODE_COMPILE_CACHE is set, the next worker starts faster

const server = new ServerLink((frame) => {
  if (frame.type === 'run') run(frame);
  if (frame.type === 'cancel') cancelled.abort();
});
server.send({ type: 'ready' });

async function run(order: RunFrame): Promise<void> {
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  process.argv = ['node', `${order.name}.ts`];
  setEnvironment(order.env);
  try {
    const task = await loadTask(order.name, order.code);
    const context = { ...order.context, signal: cancelled.signal };
    const returned = await (task.length === 0 ? task() : task(context));
    end({ type: 'result', output: outputOf(returned, order.outputBytesMax) });
  } catch (thrown) {
    fail(thrown);
  }
}

/**
 * Whatever the task prints is to be in the pipe before it goes on: Node would keep what the pipe
 * has no room for, and lose it when the process ends. There is no public name for this; a stream
 * without a handle is a file, and does so anyway.
 */
function writeAtOnce(stream: NodeJS.WriteStream): void {
  const { _handle } = stream as { _handle?: { setBlocking?(on: boolean): void } };
  _handle?.setBlocking?.(true);
}

function setEnvironment(env: Record<string, string>): void {
  for (const name of Object.keys(process.env)) {
    if (!environmentKept.includes(name)) delete process.env[name];
  }
  Object.assign(process.env, env);
}

function fail(thrown: unknown): void {
  end({ type: 'error', ...failureOf(thrown) });
}

/** The first outcome counts: a promise may be rejected, unhandled, after the task has returned. */
function end(outcome: OutcomeFrame): void {
  if (outcomeSent) return;
  outcomeSent = true;
  server.sendAndExit(outcome);
}
