// Two runs of two teams at once: nothing of one is there for the other, at every level that says so.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { isAlive, processesThatName } from '../support/processes.ts';
import type { Server } from '../support/server.ts';
import { deployTask, executionIn, executionOf, runTask } from '../support/tasks.ts';
import type { Bystander } from './foreign/bystander.ts';
import type { OnlookerOrder } from './foreign/onlooker.ts';
import { assertOutcomes, type Outcomes, type Row } from './outcomes.ts';
import { nameOf, places, startAt } from './places.ts';

const codeOf = (name: string) => readFileSync(new URL(`foreign/${name}.ts`, import.meta.url), 'utf8');
const limit = { timeout: 60_000 };

const byUser = { root: 'none', 'an ordinary user': 'standard' } as const;

const rows: Row[] = [
  { held: 'strict', attempts: ['see its processes'] }, // Landlock lets all of /proc be listed
  {
    held: 'standard',
    attempts: [
      'list its home',
      'read its file',
      'change its file',
      'plant a file in its home',
      'call at its door',
      'call at its door at once',
      'connect to it',
      'connect to it at once',
      'connect to its abstract socket',
      'read its shared memory',
      'be reached from the machine',
    ],
  },
  {
    held: byUser,
    attempts: [
      'read its environment',
      'open its memory',
      'look through its root',
      'signal it',
      'trace it',
    ],
  },
  {
    held: 'none',
    attempts: [
      'find its task at the own door',
      'find its session at the own door',
      'take over its door',
    ],
  },
];

for (const place of places) {
  test(`two runs of two teams (${nameOf(place)})`, limit, async (t) => {
    const site = await startAt(t, place, { runs: { shutdown_grace: '1s' } });
    if (site === undefined) return;
    const { server, otherKey } = site;
    const task = await deployTask(server, 'bystander', codeOf('bystander'));
    const word = `bystander-${process.pid}-${Date.now()}`;
    const begun = await runTask(server, 'bystander', { async: true, inputs: { ANCHOR_WORD: word } });
    const id = begun.executionResultId;
    const bystander = await firstWordsOf(server, task, id);
    if (place.level !== 'strict' && bystander.sharedMemory >= 0) {
      // It outlives whoever made it, and below strict it is the machine's.
      t.after(() => execFileSync('ipcrm', ['--shmem-id', `${bystander.sharedMemory}`]));
    }
    const [child] = processesThatName(word).filter(({ command }) => command.includes(word));
    assert.ok(child, 'the machine sees the bystander');

    const { sessionIds } = await executionOf(server, task, id);
    const order: OnlookerOrder = {
      ...bystander,
      process: child.pid,
      session: sessionIds[0] ?? '',
      task: 'bystander',
    };
    const key = otherKey;
    await deployTask(server, 'onlooker', codeOf('onlooker'), { key });
    const inputs = { ANCHOR_ORDER: JSON.stringify(order) };
    const run = await runTask(server, 'onlooker', { inputs }, { key });
    assert.equal(run.success, true, run.error);
    const found: Outcomes = run.output;
    const ports = [bystander.port, bystander.unboundPort].filter((port) => port > 0);
    const reached = await Promise.all(ports.map((port) => says(port, word)));
    if (reached.includes(true)) found.through.push('be reached from the machine');
    else found.held['be reached from the machine'] = 'nobody answers';
    assertOutcomes(place, rows, found);

    assert.ok(isAlive(child), 'the bystander did not suffer');
    const path = `/v1/task/${task}/executions/${id}/cancel`;
    assert.equal((await server.request('POST', path, { body: {} })).status, 200);
    await executionIn(server, task, id, ['cancelled']);
    const isGone = () => processesThatName(word).length === 0;
    await eventually('nothing of the bystander is left', isGone, 2_000);
  });
}

async function firstWordsOf(server: Server, task: string, id: string): Promise<Bystander> {
  const path = `/v1/task/${task}/executions/${id}/logs`;
  const first = async () => (await server.request('GET', path)).body.data.logs[0]?.text;
  return JSON.parse(await eventually('the bystander says where it is', first, 30_000));
}

/** Whether somebody listens there who says the word. */
function says(port: number, word: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.setTimeout(1_000, () => socket.destroy());
    socket.once('data', (heard) => resolve(heard.includes(word)));
    socket.once('error', () => resolve(false)).once('close', () => resolve(false));
  });
}
