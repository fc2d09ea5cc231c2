// A server on which runs of one team go off while another team's goes on.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { descendantsOf, encodersOf, isAlive, type Process } from '../support/processes.ts';
import { processesThatName, tell } from '../support/processes.ts';
import type { Server, ServerOptions } from '../support/server.ts';
import { openSession } from '../support/sessions.ts';
import { deployTask, endStates, executionIn, type Execution, runTask } from '../support/tasks.ts';
import type { BombOrder } from './foreign/bombs.ts';
import { type Place, type Site, startAt } from './places.ts';

export type Limits = Omit<BombOrder, 'bomb'>;

/** What is to come of a bomb: the words are its output or its error. */
export type End = { status: Execution['status']; says: RegExp; staysBehind?: boolean };

export type Lit = { bomb: string; id: string; mark: string; end: End };

const code = readFileSync(new URL('foreign/bombs.ts', import.meta.url), 'utf8');
const startLimitMs = 20_000;
const leftLimitMs = 2_000;
const folderLimitMs = 10_000; // a tree of thousands of folders, on a busy disk
const looks = 5; // a process may go and leave another one while all are looked at

export class Bombs {
  readonly site: Site;
  readonly server: Server;
  readonly #limits: Limits;
  #task = '';
  // Runs share these, which spares them a browser each.
  #session = '';
  #otherSession = '';
  #foldersBefore = 0;

  static async prepare(
    t: TestContext,
    place: Place,
    limits: Limits,
    timeout: string,
    options: ServerOptions = {},
  ): Promise<Bombs | undefined> {
    const runs = {
      timeout,
      max_running: 8,
      memory_mib_max: limits.memoryMib,
      disk_mib_max: limits.diskMib,
      processes_max: limits.processes,
      open_files_max: limits.openFiles,
      log_bytes_max: 65_536,
      shutdown_grace: '1s',
    };
    const settings = { runs, sessions: { open_files_max: 512 } };
    const site = await startAt(t, place, settings, options);
    if (site === undefined) return undefined;
    const bombs = new Bombs(site, limits);
    await bombs.#deploy();
    return bombs;
  }

  private constructor(site: Site, limits: Limits) {
    this.site = site;
    this.server = site.server;
    this.#limits = limits;
  }

  async #deploy(): Promise<void> {
    const { server } = this;
    const key = this.site.otherKey;
    this.#task = await deployTask(server, 'bomb', code);
    await deployTask(server, 'well', 'export default async () => "well";', { key });
    this.#session = (await openSession(server)).id;
    this.#otherSession = (await openSession(server, { key })).id;
    // What records them has a cage each, and so perhaps a folder.
    await eventually('both are recorded', () => encodersOf(server.pid).length === 2, 20_000);
    this.#foldersBefore = this.#folders().length;
  }

  async light(bomb: string, end: End): Promise<Lit> {
    // What the run starts has it in its environment.
    const mark = `bomb-${process.pid}-${performance.now()}-`;
    const order: BombOrder = { bomb, ...this.#limits };
    const inputs = { ANCHOR_ORDER: JSON.stringify(order), ANCHOR_MARK: mark };
    const body = { async: true, sessionId: this.#session, inputs };
    const { executionResultId: id } = await runTask(this.server, 'bomb', body);
    return { bomb, id, mark, end };
  }

  async runOther(): Promise<void> {
    const key = this.site.otherKey;
    const body = { sessionId: this.#otherSession };
    const { success, output, error } = await runTask(this.server, 'well', body, { key });
    assert.deepEqual([success, output], [true, 'well'], error);
  }

  async mustEnd({ bomb, id, end }: Lit, limitMs = 60_000): Promise<void> {
    const all = limitMs + startLimitMs;
    const execution = await executionIn(this.server, this.#task, id, endStates, all);
    // On a busy machine a runner may be seconds in coming.
    const tookMs = Date.now() - Date.parse(execution.startTime);
    const told = execution.output ?? execution.errorMessage ?? '';
    assert.equal(execution.status, end.status, `${bomb}: ${told}`);
    assert.match(told, end.says, bomb);
    assert.ok(tookMs < limitMs, `${bomb} took ${tookMs.toFixed()} ms`);
  }

  /** Of the neighbour, who has nothing to do with the bombs. */
  async mustSpareOther(): Promise<void> {
    const path = `/v1/sessions/${this.#otherSession}`;
    const { body } = await this.server.request('GET', path, { key: this.site.otherKey });
    assert.equal(body.data?.status, 'running', "the neighbour's browser goes on");
  }

  /** Call it when no other run of ours is under way. */
  async mustLeaveNothing({ bomb, mark, end }: Lit): Promise<void> {
    let left: Process[] = [];
    let emptyLooks = 0;
    const isGone = () => {
      left = leftOf(this.server, mark);
      emptyLooks = left.length === 0 ? emptyLooks + 1 : 0;
      return emptyLooks >= looks;
    };
    const limitMs = leftLimitMs + looks * 50;
    const gone = await eventually('nothing is left', isGone, limitMs).catch(() => false);
    for (const { pid } of processesThatName(mark)) process.kill(pid, 'SIGKILL');
    assert.equal(gone, !end.staysBehind, `${bomb} has left behind\n${tell(left)}`);
  }

  async mustLeaveNoFolder(): Promise<void> {
    const areGone = () => this.#folders().length <= this.#foldersBefore;
    await eventually('no folder of a run is left', areGone, folderLimitMs);
  }

  /** Of this server's cages; at strict there are none on the disk. */
  #folders(): string[] {
    const { temporaryDir } = this.server;
    return readdirSync(temporaryDir).flatMap((name) => readdirSync(path.join(temporaryDir, name)));
  }
}

/** What bears a run's mark, and what of the server's is no browser and no encoder. */
function leftOf(server: Server, mark: string): Process[] {
  const all = descendantsOf(server.pid);
  const browsers = all.filter(({ command }) => /chromium|\/ffmpeg/.test(command));
  // A browser's child without its name is the guard of its cage; its parent is pid 1 of it.
  const ids = new Set(browsers.map(({ pid }) => pid));
  const parents = new Set(browsers.map(({ parent }) => parent));
  const ours = all.filter(
    ({ pid, parent }) => !ids.has(pid) && !ids.has(parent) && !parents.has(pid),
  );
  return [...ours.filter(isAlive), ...processesThatName(mark)];
}
