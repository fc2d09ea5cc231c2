// A task that lives beside others and leaves everything of its own as open as it can: whoever gets
// at it has come through a wall. It prints where it can be found, and stays until it is cancelled.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { createServer } from 'node:net';

export type Bystander = {
  /** Known to it alone: its child has it in its command line and its environment. */
  word: string;
  home: string;
  door: string;
  /** 0 where it may not listen. */
  port: number;
  /** Of a socket that listens without having been given a port. */
  unboundPort: number;
  abstractSocket: string;
  /** -1 where it may have none. */
  sharedMemory: number;
};

const word = process.env['ANCHOR_WORD'] ?? '';
const home = process.env['HOME'] ?? '';

async function listen(place: { port: number; host: string } | { path: string }): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => {}).end(word));
  try {
    server.listen(place);
    await once(server, 'listening');
  } catch {
    return 0;
  }
  const address = server.address();
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

/** Perl's child answers one caller after the other. */
function listenUnbound(): number {
  const code = `use Socket; $| = 1;
    socket(my $s, AF_INET, SOCK_STREAM, 0) or exit;
    listen($s, 8) or exit;
    my ($port) = sockaddr_in(getsockname($s)); print "$port\\n";
    if (fork()) { exit } close(STDOUT); close(STDERR);
    while (accept(my $c, $s)) { print $c $ENV{ANCHOR_WORD}; close($c) }`;
  const { stdout } = spawnSync('perl', ['-e', code], { encoding: 'utf8' });
  return Number(stdout);
}

function shareMemory(): number {
  const code = `my $id = shmget(0, 64, 0666 | 01000) // -1;
    shmwrite($id, $ENV{ANCHOR_WORD}, 0, 64); print $id`;
  return Number(spawnSync('perl', ['-e', code], { encoding: 'utf8' }).stdout);
}

/** Where that is refused, it is as private as can be. */
function openToAll(path: string): void {
  try {
    fs.chmodSync(path, 0o777);
  } catch {
    return;
  }
}

export default async ({ signal }: { signal: AbortSignal }) => {
  openToAll(home);
  fs.writeFileSync(`${home}/file`, word);
  openToAll(`${home}/file`);
  const child = spawn('perl', ['-e', 'sleep 60', word]);
  await once(child, 'spawn');
  const abstractSocket = `bystander-${word}`;
  await listen({ path: `\0${abstractSocket}` });
  const told: Bystander = {
    word,
    home,
    door: process.env['ANCHORBROWSER_BASE_URL'] ?? '',
    port: await listen({ port: 0, host: '127.0.0.1' }),
    unboundPort: listenUnbound(),
    abstractSocket,
    sharedMemory: shareMemory(),
  };
  console.log(JSON.stringify(told));
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
};
