// Rows of raw requests: those that must be refused, with the connection, and those that are served.
import assert from 'node:assert/strict';
import type { Server } from '../support/server.ts';
import { exchange, type RawAnswer, requestText } from '../support/wire.ts';

export type WireRow = {
  about: string;
  bytes: string;
  status: number;
  /** Nothing follows these bytes, and the client says so. */
  end?: boolean;
};

const followed = 'x-request-id: follower';

/** Every row is answered once and hung up on; the request behind it is never served. */
export async function mustRefuse(server: Server, rows: WireRow[]): Promise<void> {
  const follower = requestText('GET /health HTTP/1.1', [followed]);
  await all(rows, async ({ bytes, status, end = false }) => {
    const answers = await exchange(server.url, end ? bytes : bytes + follower, { end });
    mustTell(answers, [status]);
    const [refusal] = answers;
    assert.equal(refusal?.headers['connection'], 'close', 'the refusal says that it hangs up');
    if (status === 405) assert.match(refusal?.headers['allow'] ?? '', /\bGET\b/);
  });
}

/** Every row is answered, and the connection is good for one more request. */
export async function mustServe(server: Server, rows: WireRow[]): Promise<void> {
  const follower = requestText('GET /health HTTP/1.1', [followed, 'Connection: close']);
  await all(rows, async ({ bytes, status }) => {
    const answers = await exchange(server.url, bytes + follower);
    mustTell(answers, [status, 200]);
    assert.equal(answers[1]?.headers['x-request-id'], 'follower');
  });
}

/** Asserts the statuses, and that each answer is whole: with an id, and a refusal's envelope. */
export function mustTell(answers: RawAnswer[], statuses: number[]): void {
  assert.deepEqual(
    answers.map(({ status }) => status),
    statuses,
    `the answers are ${JSON.stringify(answers).slice(0, 2_000)}`,
  );
  for (const { status, headers, body } of answers) {
    if (status < 200) continue;
    assert.ok(headers['x-request-id'], 'there is an x-request-id');
    if (status < 400) continue;
    const { error } = JSON.parse(body);
    assert.equal(error.code, status, 'the code in the body is the status');
    assert.ok(error.message.length > 0, 'there is a message');
  }
}

/** Tries all rows and tells all that fail. */
async function all(rows: WireRow[], attempt: (row: WireRow) => Promise<void>): Promise<void> {
  const failures: string[] = [];
  for (const row of rows) {
    await attempt(row).catch((error: Error) => failures.push(`${row.about}: ${error.message}`));
  }
  assert.equal(failures.length, 0, `${failures.length} rows fail:\n${failures.join('\n')}`);
}
