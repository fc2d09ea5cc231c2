// Tasks and their runs, over plain HTTP: what most product tests begin with.
import assert from 'node:assert/strict';
import { eventually } from './eventually.ts';
import type { Answer, RequestOptions } from './requests.ts';
import type { Server } from './server.ts';

export type Execution = {
  id: string;
  version: string;
  status: 'queued' | 'running' | 'success' | 'failure' | 'timeout' | 'cancelled';
  output: string | null;
  errorMessage: string | null;
  startTime: string;
  executionTime: number | null;
  sessionIds: string[];
};

/** Source text as it is sent. */
export function base64(code: string | Uint8Array): string {
  return Buffer.from(code).toString('base64');
}

/** Stores the code as the task's draft. */
export function pushTask(
  server: Server,
  name: string,
  code: string,
  options: RequestOptions & { browserConfiguration?: object } = {},
): Promise<Answer> {
  const { browserConfiguration, ...rest } = options;
  const body = { name, language: 'typescript', code: base64(code), browserConfiguration };
  return server.request('POST', '/v1/task', { ...rest, body });
}

/** Stores and publishes the code, and returns the task's id. */
export async function deployTask(
  server: Server,
  name: string,
  code: string,
  options: RequestOptions & { browserConfiguration?: object } = {},
): Promise<string> {
  const pushed = await pushTask(server, name, code, options);
  assert.equal(pushed.status, 200, pushed.text);
  const { id } = pushed.body.data;
  const { key } = options;
  const deployed = await server.request('POST', `/v1/task/${id}/deploy`, { body: {}, key });
  assert.equal(deployed.status, 200, deployed.text);
  return id;
}

/** Runs a task by its name and returns the answer's `data`; `output` is read as the JSON it is. */
export async function runTask(
  server: Server,
  name: string,
  body: object = {},
  options: RequestOptions = {},
): Promise<any> {
  const answer = await server.request('POST', `/v1/task/run/${name}`, { ...options, body });
  assert.equal(answer.status, 200, answer.text);
  const { data } = answer.body;
  return data.output === undefined ? data : { ...data, output: JSON.parse(data.output) };
}

/** The same, for a run that must succeed: returns what the task returned. */
export async function outputOf(server: Server, name: string, body: object = {}): Promise<any> {
  const result = await runTask(server, name, body);
  assert.equal(result.success, true, result.error);
  return result.output;
}

/** Begins a run without waiting for it, and returns its id. */
export async function beginRun(server: Server, name: string, body: object = {}): Promise<string> {
  const { executionResultId } = await runTask(server, name, { ...body, async: true });
  return executionResultId;
}

export async function executionOf(server: Server, task: string, id: string): Promise<Execution> {
  const answer = await server.request('GET', `/v1/task/${task}/executions/${id}`);
  assert.equal(answer.status, 200, answer.text);
  return answer.body.data;
}

/** Waits until the execution has one of these states. */
export function executionIn(
  server: Server,
  task: string,
  id: string,
  states: Execution['status'][],
  limitMs = 30_000,
): Promise<Execution> {
  return eventually(
    `execution ${id} is in ${states.join(' or ')}`,
    async () => {
      const execution = await executionOf(server, task, id);
      return states.includes(execution.status) && execution;
    },
    limitMs,
  );
}

export const endStates: Execution['status'][] = ['success', 'failure', 'timeout', 'cancelled'];

/** Asserts that the server is in good health and runs tasks. */
export async function assertWell(server: Server): Promise<void> {
  const health = await server.request('GET', '/health', { key: null });
  assert.equal(health.status, 200, health.text);
  await deployTask(server, 'well', 'export default async () => 6 * 7;');
  assert.equal(await outputOf(server, 'well'), 42);
}
