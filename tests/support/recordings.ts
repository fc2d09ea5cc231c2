// Recordings of sessions, over plain HTTP.
import assert from 'node:assert/strict';
import { eventually } from './eventually.ts';
import type { Server } from './server.ts';

export type Recording = {
  id: string;
  created_at: string;
  status: string;
  note: string;
  duration: string;
  size: number;
};

/** The only recording of that session. */
export async function recordingOf(server: Server, session: string): Promise<Recording> {
  const answer = await server.request('GET', `/v1/sessions/${session}/recordings`);
  assert.equal(answer.body.data.count, 1, answer.text);
  return answer.body.data.items[0];
}

/** Waits until nothing works on it any more, which is some time after its session has ended. */
export function recordingHasEnded(server: Server, session: string): Promise<Recording> {
  const ended = async (): Promise<Recording | false> => {
    const recording = await recordingOf(server, session);
    return !['recording', 'finalizing'].includes(recording.status) && recording;
  };
  return eventually(`the recording of ${session} has ended`, ended, 20_000);
}
