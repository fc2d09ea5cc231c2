// Browser sessions, over plain HTTP.
import assert from 'node:assert/strict';
import { eventually } from './eventually.ts';
import type { RequestOptions } from './requests.ts';
import type { Server } from './server.ts';

export type Session = { id: string; cdp_url: string };

/** Opens a session; `options` may name another team's key, or hold a body that asks for more. */
export async function openSession(server: Server, options: RequestOptions = {}): Promise<Session> {
  const answer = await server.request('POST', '/v1/sessions', options);
  assert.equal(answer.status, 200, answer.text);
  return answer.body.data;
}

export async function sessionOf(server: Server, id: string): Promise<any> {
  const answer = await server.request('GET', `/v1/sessions/${id}`);
  assert.equal(answer.status, 200, answer.text);
  return answer.body.data;
}

export async function statusOf(server: Server, id: string): Promise<string> {
  return (await sessionOf(server, id)).status;
}

/** Waits until a session is told to have ended, as what ends it may not wait for that. */
export function sessionHasEnded(server: Server, id: string, limitMs = 5_000): Promise<string> {
  const ended = async (): Promise<string | false> => {
    const status = await statusOf(server, id);
    return status !== 'running' && status;
  };
  return eventually(`session ${id} has ended`, ended, limitMs);
}

export async function endSession(
  server: Server,
  id: string,
  options: RequestOptions = {},
): Promise<void> {
  const answer = await server.request('DELETE', `/v1/sessions/${id}`, options);
  assert.equal(answer.status, 200, answer.text);
}
