// What /proc tells about the processes of a server: who descends from it, who is left after it.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export type Process = {
  pid: number;
  parent: number;
  /** The kernel's state letter; Z is a process that has ended and was not waited for. */
  state: string;
  /** In clock ticks since boot: tells a process from a later one of the same id. */
  started: string;
  command: string;
};

/** The process of that id, if there is one. */
export function processOf(pid: number): Process | undefined {
  const stat = textOf(`/proc/${pid}/stat`);
  if (stat === '') return undefined;
  // The name stands in brackets and may hold anything, brackets and spaces too.
  const [state = '', parent = '', ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const command = textOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
  return { pid, parent: Number(parent), state, started: rest[17] ?? '', command };
}

export function allProcesses(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => processOf(Number(name)))
    .filter((process) => process !== undefined);
}

/** Children, grandchildren and so on, with those that have ended and not been waited for. */
export function descendantsOf(ancestor: number): Process[] {
  const all = allProcesses();
  const found: Process[] = [];
  const parents = [ancestor];
  for (let parent = parents.pop(); parent !== undefined; parent = parents.pop()) {
    for (const child of all.filter((process) => process.parent === parent)) {
      found.push(child);
      parents.push(child.pid);
    }
  }
  return found;
}

/** The main processes of the browsers that descend from it; a browser's other ones say a type. */
export function browsersOf(ancestor: number): Process[] {
  const named = descendantsOf(ancestor).filter(
    ({ command }) => command.includes('--remote-debugging-pipe') && !command.includes('--type='),
  );
  // What a browser forks has its command line until it has become another program.
  const ids = new Set(named.map(({ pid }) => pid));
  return named.filter(({ parent }) => !ids.has(parent));
}

/** What encodes recordings: one for each session that is recorded. */
export function encodersOf(ancestor: number): Process[] {
  const isEncoder = ({ command }: Process) => command.startsWith('/usr/bin/ffmpeg');
  return descendantsOf(ancestor).filter(isEncoder);
}

/** Whether that very process, and not a later one of its id, is still there and has not ended. */
export function isAlive({ pid, started }: Process): boolean {
  const now = processOf(pid);
  return now !== undefined && now.started === started && !/[ZX]/.test(now.state);
}

/** Living processes that have `text` in their command line or the environment they began with. */
export function processesThatName(text: string): Process[] {
  return allProcesses().filter(
    (each) =>
      each.pid !== process.pid &&
      isAlive(each) &&
      (each.command.includes(text) || textOf(`/proc/${each.pid}/environ`).includes(text)),
  );
}

/** What each of its file descriptors leads to; none when the process has gone. */
export function openFilesOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).map((name) => linkOf(`${folder}/${name}`));
  } catch {
    return [];
  }
}

/** The memory of the process that is in RAM, in MiB. */
export function residentMemoryOf(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(textOf(`/proc/${pid}/status`));
  if (line === null) throw new Error(`process ${pid} has no memory to measure`);
  return Number(line[1]) / 1024;
}

export function tell(processes: Process[]): string {
  return processes.map(({ pid, state, command }) => `${pid} ${state} ${command}`).join('\n');
}

/** Where a link in /proc leads; empty when it has gone meanwhile, or is not for us to see. */
export function linkOf(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}

/** Empty when the process has gone meanwhile, or keeps its secrets from us. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
