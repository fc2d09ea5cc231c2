// What a server's children are known by on this machine, written down while it lives, so that what
// is left of them can be found once it has died, also of those that nobody is the parent of. Others
// may use the machine meanwhile, so what can belong to somebody else by then is no trace.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import {
  allProcesses,
  descendantsOf,
  isAlive,
  linkOf,
  openFilesOf,
  type Process,
  tell,
} from '../support/processes.ts';
import type { Server } from '../support/server.ts';

export type Found = { process: Process; by: string[] };

const kindsOfNamespaces = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'user', 'uts'];
const controlGroups = '/sys/fs/cgroup';
const controllers = ['memory', 'pids', 'cpu'];
const usersPerBlock = 256;
const firstUser = 200_000;
const ticksPerSecond = 100; // what /proc counts in, on every machine

export class Traces {
  readonly processes: Process[];
  readonly #namespaces: Set<string>;
  /** First ids of the blocks that are the server's. */
  readonly #users: number[];
  /** Its control groups lie in folders that begin so. */
  readonly #group: string;
  /** What its runs started has this in its command line or environment. */
  readonly #mark: string;
  readonly #folders: string[];
  #diedAt = Infinity;

  constructor(server: Server, mark: string) {
    const { pid, temporaryDir } = server;
    this.processes = descendantsOf(pid);
    const ours = new Set(namespacesOf('self'));
    const theirs = this.processes.flatMap((each) => namespacesOf(each.pid));
    this.#namespaces = new Set(theirs.filter((namespace) => !ours.has(namespace)));
    this.#users = blocksOf(pid);
    this.#group = `capstan-${pid}-`;
    this.#mark = mark;
    this.#folders = foldersIn(temporaryDir);
  }

  /** Call it when the server has died: the machine gives ids of dead things to new ones. */
  died(): void {
    this.#diedAt = Number(textOf('/proc/uptime').split(' ')[0]) * ticksPerSecond;
  }

  /** Those that live and that the dead server, or a cage of it, is to blame for. */
  left(): Found[] {
    return allProcesses()
      .map((process) => ({ process, by: this.#blames(process) }))
      .filter(({ process, by }) => by.length > 0 && isAlive(process));
  }

  /** What the next start had to remove: control groups and temporary folders. */
  leftFolders(server: Server): string[] {
    const groups = controllers.flatMap((controller) =>
      groupsBelow(path.join(controlGroups, controller)).filter((folder) =>
        path.basename(folder).startsWith(this.#group),
      ),
    );
    const here = foldersIn(server.temporaryDir);
    return [...groups, ...here.filter((folder) => this.#folders.includes(folder))];
  }

  #blames(candidate: Process): string[] {
    const { pid, started, command } = candidate;
    if (pid === process.pid) return [];
    const by = [];
    const isKnown = this.processes.some((each) => each.pid === pid && each.started === started);
    if (isKnown) by.push('descent');
    const environment = textOf(`/proc/${pid}/environ`);
    if (command.includes(this.#mark) || environment.includes(this.#mark)) by.push('mark');
    const groups = textOf(`/proc/${pid}/cgroup`);
    if (groups.includes(`/${this.#group}`)) by.push('control group');
    if (Number(started) > this.#diedAt) return by;
    if (namespacesOf(pid).some((each) => this.#namespaces.has(each))) by.push('namespace');
    if (this.#isUser(userOf(pid))) by.push('user');
    return by;
  }

  #isUser(user: number): boolean {
    return this.#users.some((first) => user >= first && user < first + usersPerBlock);
  }
}

export function tellFound(all: Found[]): string {
  return all.map(({ process, by }) => `${tell([process])} (${by.join(', ')})`).join('\n');
}

/** The places where something is mounted; no cage adds one. */
export function mountedPlaces(): string[] {
  const lines = textOf('/proc/self/mountinfo').trim().split('\n');
  return lines.map((line) => line.split(' ')[4] ?? '').sort();
}

function namespacesOf(pid: number | 'self'): string[] {
  return kindsOfNamespaces
    .map((kind) => linkOf(`/proc/${pid}/ns/${kind}`))
    .filter((namespace) => namespace !== '');
}

/** The blocks of user ids that the process holds by locks in a folder of the machine. */
function blocksOf(pid: number): number[] {
  return openFilesOf(pid)
    .map((file) => /\/user-ids\/(\d+)$/.exec(file)?.[1])
    .filter((block) => block !== undefined)
    .map((block) => firstUser + Number(block) * usersPerBlock);
}

function groupsBelow(folder: string): string[] {
  const below = folders(folder);
  return [...below, ...below.flatMap((each) => groupsBelow(each))];
}

function foldersIn(folder: string): string[] {
  return namesIn(folder).map((name) => path.join(folder, name));
}

function folders(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => path.join(folder, name));
  } catch {
    return [];
  }
}

function userOf(pid: number): number {
  try {
    return statSync(`/proc/${pid}`).uid;
  } catch {
    return -1;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
