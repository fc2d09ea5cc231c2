// A scenario is a row: a call with its path, key and body; what must be answered; and, if that is a
// refusal, that nothing has happened. `check` plays rows and tells all that is wrong with any.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Answer } from '../support/requests.ts';
import { binary, type Server } from '../support/server.ts';
import { problemsOf, type Shape, text } from './shape.ts';

export type Scenario = {
  /** The operation, as it stands in the route table: 'POST /v1/task/run/{taskName}'. */
  call: string;
  /** What stands in the fields of its path, percent-encoded if it must be. */
  at?: Record<string, string>;
  /** What stands behind the '?'. */
  query?: string;
  /** Tells it from other rows of the same call. */
  about?: string;
  /** In place of the first team's key; null sends none. */
  key?: string | null;
  headers?: Record<string, string>;
  /** An object is sent as JSON; a text or bytes as they are, as JSON unless `headers` differ. */
  body?: unknown;
  status: number;
  /** The whole body of a good answer. Refusals have the envelope. */
  shape?: Shape;
  /** What a refusal's message must hold. */
  says?: string | RegExp;
};

/** The path of a call, with its fields filled in. */
export function pathOf({ call, at = {}, query }: Scenario): string {
  const path = call.slice(call.indexOf(' ') + 1).replace(/\{(\w+)\}/g, (_, field: string) => {
    const value = at[field];
    assert.ok(value !== undefined, `${call} is told its ${field}`);
    return value;
  });
  return query === undefined ? path : `${path}?${query}`;
}

/** Sends a row's call, and fails unless the answer is the one that the row wants. */
export async function play(server: Server, scenario: Scenario): Promise<Answer> {
  const answer = await send(server, scenario);
  const problems = problemsOfAnswer(scenario, answer);
  assert.equal(problems.length, 0, tell(scenario, answer, problems));
  return answer;
}

/**
 * Plays all rows, tells all that fail, and asserts that the refused ones changed nothing: rows that
 * do and rows that don't belong into calls of their own.
 */
export async function check(server: Server, scenarios: Scenario[]): Promise<void> {
  assert.ok(scenarios.length > 0, 'there are rows');
  const changesNothing = scenarios.every(({ status }) => status >= 400);
  const before = changesNothing ? await stateOf(server) : '';
  const failures: string[] = [];
  for (const scenario of scenarios) {
    const answer = await send(server, scenario);
    const problems = problemsOfAnswer(scenario, answer);
    if (problems.length > 0) failures.push(tell(scenario, answer, problems));
  }
  assert.equal(failures.length, 0, `${failures.length} rows fail:\n${failures.join('\n')}`);
  if (changesNothing)
    assert.equal(await stateOf(server), before, 'what was refused changed nothing');
}

export function send(server: Server, scenario: Scenario): Promise<Answer> {
  const { call, key, body } = scenario;
  const isText = typeof body === 'string' || body instanceof Uint8Array;
  const headers = { ...(isText ? json : {}), ...scenario.headers };
  const options = { body, headers, ...(key === undefined ? {} : { key }) };
  return server.request(call.slice(0, call.indexOf(' ')), pathOf(scenario), options);
}

const json = { 'content-type': 'application/json' };

export function problemsOfAnswer(scenario: Scenario, answer: Answer): string[] {
  const { status, shape, says } = scenario;
  if (answer.status !== status) return [`the status is ${answer.status}, not ${status}`];
  const problems: string[] = [];
  if (!answer.headers['x-request-id']) problems.push('there is no x-request-id');
  if (status >= 400) {
    problems.push(...problemsOf({ error: { code: status, message: text } }, answer.body));
    const message: string = answer.body?.error?.message ?? '';
    const isSaid = typeof says === 'string' ? message.includes(says) : says?.test(message);
    if (message === '' || isSaid === false) problems.push(`the message says nothing of ${says}`);
  } else if (shape !== undefined) {
    problems.push(...problemsOf(shape, answer.body));
  }
  if (status === 405 && !answer.headers['allow']) problems.push('there is no allow');
  if ((status === 429 || status === 503) && !(Number(answer.headers['retry-after']) >= 1)) {
    problems.push('retry-after does not tell seconds');
  }
  return problems;
}

function tell(scenario: Scenario, answer: Answer, problems: string[]): string {
  const { about, body } = scenario;
  const sent = body === undefined ? '' : ` ${clip(JSON.stringify(body))}`;
  const what = about === undefined ? '' : `${about}: `;
  const method = scenario.call.split(' ')[0];
  return [
    `${what}${method} ${clip(pathOf(scenario))}${sent}`,
    ...problems.map((problem) => `  - ${problem}`),
    `  answered ${answer.status} ${clip(answer.text)}`,
  ].join('\n');
}

const clip = (long: string): string => (long.length > 300 ? `${long.slice(0, 300)}...` : long);

/** All that the first team has, as text: tasks, their versions, runs, and sessions. */
export async function stateOf(server: Server): Promise<string> {
  const get = async (path: string): Promise<Answer> => {
    const answer = await server.request('GET', path);
    assert.equal(answer.status, 200, `GET ${path} answers ${answer.text}`);
    return answer;
  };
  const tasks = await get('/v1/task?limit=100');
  const parts = [tasks.text, (await get('/v1/sessions/all/status')).text];
  for (const { id } of tasks.body.data.tasks) {
    parts.push((await get(`/v1/task/${id}/versions`)).text);
    parts.push((await get(`/v1/task/${id}/executions?limit=100`)).text);
  }
  return parts.join('\n');
}

/** Runs the program's other commands; gives what it printed, and fails when it does. */
export async function capstan(...args: string[]): Promise<string> {
  return (await promisify(execFile)(binary, args, { timeout: 30_000 })).stdout.trim();
}

/** A key that was good once. */
export async function revokedKey(server: Server): Promise<string> {
  const name = 'to-revoke';
  const key = await server.createKey('foreign', name);
  await revokeKey(server, name);
  return key;
}

/** Revokes the key of that name, as an operator finds it in the list. */
export async function revokeKey(server: Server, name: string): Promise<void> {
  const data = ['--data', server.dataDir];
  const listing = await capstan('keys', 'list', ...data);
  const line = listing.split('\n').find((each) => each.includes(name)) ?? '';
  const [id] = /^[0-9a-f-]{36}\b/.exec(line) ?? [];
  assert.ok(id, `the list has the id of ${name}:\n${listing}`);
  await capstan('keys', 'revoke', id, ...data);
}

/** Waits until a run has ended, by following its log; gives the execution that ends the log. */
export async function endOf(server: Server, taskId: string, executionId: string): Promise<any> {
  const call = 'GET /v1/task/{taskId}/executions/{executionId}/logs';
  const at = { taskId, executionId };
  const headers = { accept: 'text/event-stream' };
  const followed = await play(server, { call, at, headers, status: 200 });
  const [, end] = /^event: end\ndata: (.*)$/m.exec(followed.text) ?? [];
  assert.ok(end, `the log ends with the execution:\n${followed.text}`);
  return JSON.parse(end);
}

/** Lets the clock go on: what happens within one millisecond has no order among itself. */
export function nextMillisecond(): void {
  for (const now = Date.now(); Date.now() === now;);
}

export const unknownId = '00000000-0000-4000-8000-000000000000';
