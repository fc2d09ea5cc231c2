// What keeps a server busy, so that it can be ended in the middle of it: a few clients, each of
// which does one thing after the other. The load is bounded by their number.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { DevToolsClient } from '../support/cdp.ts';
import { eventually } from '../support/eventually.ts';
import type { Server } from '../support/server.ts';
import { processesThatName } from '../support/processes.ts';
import { endSession, openSession } from '../support/sessions.ts';
import { beginRun, deployTask, endStates, executionIn, outputOf } from '../support/tasks.ts';

const code = readFileSync(new URL('foreign/restless.ts', import.meta.url), 'utf8');
const things = ['write files', 'have grandchildren', 'leave a daemon', 'use a browser'];

export class Load {
  readonly #server: Server;
  readonly #task: string;
  readonly mark: string;
  #clients: Promise<void>[] = [];
  #isOn = false;
  readonly #done = new Set<'session' | 'run'>();

  /** What its runs start has `mark` in its command line and its environment. */
  static async prepare(server: Server, mark: string): Promise<Load> {
    return new Load(server, await deployTask(server, 'restless', code), mark);
  }

  private constructor(server: Server, task: string, mark: string) {
    this.#server = server;
    this.#task = task;
    this.mark = mark;
  }

  /** `first` says which of its things the load begins with. */
  begin(first: number): void {
    this.#isOn = true;
    this.#done.clear();
    const inTurn = (count: number) => things[(first + count) % things.length] ?? '';
    this.#clients = [
      this.#goOn(() => this.#useSession()),
      this.#goOn((count) => this.#run(inTurn(count))),
      this.#goOn((count) => this.#runBehind(inTurn(count + 1))),
      this.#goOn((count) => this.#runBehind(inTurn(count + 2))),
    ];
    for (const client of this.#clients) client.catch(() => {}); // endWith() tells
  }

  /** Resolves when a session and a run have come to their ends since the load began. */
  async isUnderWay(): Promise<void> {
    const areDone = () => this.#done.size === 2;
    await Promise.race([eventually('the load is under way', areDone, 30_000), ...this.#clients]);
  }

  /** Begins a run that leaves a daemon, one that has grandchildren, and waits until these live. */
  async leaveDaemons(): Promise<void> {
    this.#isOn = true;
    const things = ['leave a daemon', 'have grandchildren'];
    this.#clients = things.map((thing) => this.#unlessEnded(this.#runBehind(thing, 20_000)));
    const live = () => {
      const all = processesThatName(this.mark);
      return ['daemon-', 'grandchild-'].every((name) =>
        all.some(({ command }) => command.startsWith('perl') && command.includes(name)),
      );
    };
    await eventually('they live', live, 20_000);
  }

  /** Calls `end`, which ends the server. Throws what failed before that. */
  async endWith<T>(end: () => Promise<T>): Promise<T> {
    this.#isOn = false;
    const [ended] = await Promise.all([end(), ...this.#clients]);
    return ended;
  }

  async #goOn(step: (count: number) => Promise<void>): Promise<void> {
    for (let count = 0; this.#isOn; ++count) {
      await this.#unlessEnded(step(count));
    }
  }

  /** Whoever is in the middle of something when the server is ended, fails. */
  async #unlessEnded(step: Promise<void>): Promise<void> {
    await step.catch((error) => {
      if (this.#isOn) throw error;
    });
  }

  async #useSession(): Promise<void> {
    const { id, cdp_url: address } = await openSession(this.#server);
    const client = await DevToolsClient.connect(address);
    const page = await client.attach();
    assert.equal(await client.evaluate('6 * 7', page), 42);
    await client.close();
    await endSession(this.#server, id);
    this.#done.add('session');
  }

  async #run(thing: string): Promise<void> {
    assert.equal(await outputOf(this.#server, 'restless', this.#order(thing)), 'done');
    this.#done.add('run');
  }

  async #runBehind(thing: string, stayMs?: number): Promise<void> {
    const id = await beginRun(this.#server, 'restless', this.#order(thing, stayMs));
    const { status, errorMessage } = await executionIn(this.#server, this.#task, id, endStates);
    assert.equal(status, 'success', `${thing}: ${errorMessage}`);
  }

  #order(thing: string, stayMs = 1_000): object {
    return { inputs: { ANCHOR_DO: thing, ANCHOR_MARK: this.mark, ANCHOR_STAY_MS: `${stayMs}` } };
  }
}
