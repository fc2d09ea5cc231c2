/** Turns whatever a task threw into words for its author: bounded, and about their own file. */
import { findSourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';
import { inspect, types } from 'node:util';
import { taskOrigin } from './task_module.ts';

export interface Failure {
  message: string;
  /** Empty where the thrown value has none. */
  stack: string;
}

const messageBytesMax = 16 * 1024;
const stackBytesMax = 48 * 1024;
const causesMax = 5;

/** The folder of dist/ and node_modules/. Where it lies is no business of a task's author. */
const homeUrl = new URL('..', import.meta.url);
const homePath = fileURLToPath(homeUrl);

export function failureOf(thrown: unknown): Failure {
  return {
    message: bounded(withoutOurPaths(inWords(thrown)), messageBytesMax),
    stack: bounded(withoutOurPaths(attempt(() => trace(thrown, causesMax))), stackBytesMax),
  };
}

/** "TypeError: x is not a function"; what is not an Error is shown as the console would. */
export function inWords(thrown: unknown): string {
  return attempt(() => {
    if (isError(thrown)) return String(thrown);
    if (typeof thrown === 'string' && thrown !== '') return thrown;
    return `Thrown, and not an Error: ${inspect(thrown, { depth: 3, breakLength: Infinity })}`;
  });
}

/** The stack, and those of the causes: "fetch failed" alone tells nobody what to mend. */
function trace(thrown: unknown, causesLeft: number): string {
  if (!isError(thrown)) return '';
  const stack = typeof thrown.stack === 'string' ? framesOfTask(thrown.stack) : inWords(thrown);
  const cause = thrown.cause ?? (thrown as Partial<AggregateError>).errors?.[0];
  if (cause === undefined || causesLeft === 0) return stack;
  return `${stack}\nCaused by: ${trace(cause, causesLeft - 1) || inWords(cause)}`;
}

/** Without the frames of Node itself and of the worker. */
function framesOfTask(stack: string): string {
  const machinery = /^ +at (.*[ (])?(node:|.*\/dist\/worker\.mjs:)/;
  return linkErrorMapped(stack)
    .split('\n')
    .filter((line) => !machinery.test(line))
    .join('\n');
}

/** Node puts the place of an import that does not link above the message, and does not map it. */
function linkErrorMapped(stack: string): string {
  const [header, address = '', line] = /^(capstan:.*):(\d+)\n.*\n *\^+\n/.exec(stack) ?? [];
  if (header === undefined) return stack;
  const origin = findSourceMap(address)?.findOrigin(Number(line), 1);
  const mapped = origin && 'fileName' in origin;
  const place = mapped ? `${origin.fileName}:${origin.lineNumber}` : address;
  return `${stack.slice(header.length)}\n    at ${place}`;
}

function withoutOurPaths(text: string): string {
  return text.replaceAll(homeUrl.href, '').replaceAll(homePath, '').replaceAll(taskOrigin, '');
}

function isError(thrown: unknown): thrown is Error {
  return thrown instanceof Error || types.isNativeError(thrown);
}

/** Thrown values are foreign objects: their getters and their toString() may throw as well. */
function attempt(describe: () => string): string {
  try {
    return describe();
  } catch {
    return 'Something was thrown that cannot be described.';
  }
}

function bounded(text: string, bytesMax: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= bytesMax) return text;
  const mark = `\n... cut at ${bytesMax} bytes`;
  const kept = bytes.subarray(0, bytesMax - mark.length);
  return new TextDecoder().decode(kept, { stream: true }) + mark; // leaves out half a character
}
