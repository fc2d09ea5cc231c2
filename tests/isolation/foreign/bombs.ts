// A task that takes as much as it can get of one thing, or won't go when it is told. It is run with
// the name of the thing. Each bomb has an end of its own, at twice what it may have, so that a
// limit that doesn't hold costs the machine little: it then returns "unbounded".
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

export type BombOrder = {
  bomb: string;
  memoryMib: number;
  diskMib: number;
  processes: number;
  openFiles: number;
};

const order: BombOrder = JSON.parse(process.env['ANCHOR_ORDER'] ?? '{}');
const home = process.env['HOME'] ?? '';
const mib = 1024 * 1024;
const unbounded = 'unbounded';

/** Calls `take` until it throws, or for so many times. */
async function takeUpTo(times: number, take: (count: number) => unknown): Promise<string> {
  for (let count = 0; count < times; ++count) await take(count);
  return unbounded;
}

/** Perl says how far it came: what refused it, or nothing. */
function perl(code: string): string {
  const { stdout, stderr, status, signal } = spawnSync('perl', ['-e', code], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${stderr} (${signal ?? status})`);
  return stdout;
}

/** A process that stays for a while; throws if it can't be started. */
async function sleeper(code = 'sleep 30'): Promise<void> {
  await once(spawn('perl', ['-e', code], { stdio: 'ignore' }), 'spawn');
}

function nestFolder(): void {
  fs.mkdirSync('folder');
  process.chdir('folder');
}

const kept: unknown[] = [];

const bombs: Record<string, () => unknown> = {
  heap: () =>
    takeUpTo(order.memoryMib * 2, () => kept.push(new Array(mib / 8).fill(kept.length + 0.5))),
  buffers: () => takeUpTo(order.memoryMib / 8, () => kept.push(Buffer.alloc(16 * mib, 1))),
  'wasm memory': () =>
    takeUpTo(order.memoryMib / 8, () => {
      const memory = new (globalThis as any).WebAssembly.Memory({ initial: 256 });
      kept.push(new Uint8Array(memory.buffer).fill(1));
    }),
  // Each of them keeps within a bound that holds for single processes.
  'memory of many processes': async () => {
    const code = `my $kept; $kept .= "x" x ${mib} for 1 .. ${Math.ceil(order.memoryMib / 3)}; sleep 2`;
    const children = [1, 2, 3, 4].map(() => spawn('perl', ['-e', code], { stdio: 'ignore' }));
    const ends = await Promise.all(children.map((child) => once(child, 'exit')));
    const failed = ends.filter(([code]) => code !== 0);
    if (failed.length > 0) throw new Error(`${failed.length} processes were ended`);
    return unbounded;
  },
  forks: () =>
    perl(`my $limit = ${order.processes * 2}; my @all;
      while (@all < $limit) {
        my $pid = fork();
        if (!defined $pid) { my $why = "$!"; kill(9, @all); die "EAGAIN after @{[scalar @all]}: $why" }
        if (!$pid) { sleep 30; exit }
        push(@all, $pid);
      }
      kill(9, @all); print "${unbounded}"`),
  processes: () => takeUpTo(order.processes * 2, () => sleeper()),
  threads: () =>
    takeUpTo(order.processes * 2, async () => {
      const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
      await once(worker, 'online');
    }),
  descriptors: () =>
    takeUpTo(order.openFiles * 2, () => kept.push(fs.openSync('/dev/null', 'r'))),
  'one file': () =>
    takeUpTo(order.diskMib * 2, () => fs.appendFileSync(`${home}/file`, Buffer.alloc(mib, 1))),
  'many files': () =>
    takeUpTo(order.diskMib * 1024, (count) => fs.writeFileSync(`${home}/${count}`, '')),
  'a large file without content': () => {
    fs.ftruncateSync(fs.openSync(`${home}/large`, 'w'), 2 ** 40);
    return unbounded;
  },
  'closed folders': () => {
    for (let count = 0; count < 100; ++count) nestFolder();
    fs.mkdirSync('closed', 0o000);
    try {
      fs.chmodSync(home, 0o000);
    } catch {
      // Where a cage has no user of its own, it may not change modes.
    }
    return 'made';
  },
  'folders in each other': () => {
    for (let count = 0; count < 2 * order.openFiles; ++count) nestFolder();
    return 'made';
  },

  'an endless loop, deaf to signals': () => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT']) process.on(signal, () => {});
    for (;;);
  },
  'an endless loop in a deaf child': () => {
    perl('$SIG{$_} = "IGNORE" for qw(TERM INT HUP QUIT); 1 while 1');
    return unbounded;
  },
  'a flood of output': () => {
    const line = `${'x'.repeat(65_535)}\n`;
    for (;;) process.stdout.write(line);
  },
  'a flood of errors from a child': async () => {
    const child = spawn('perl', ['-e', 'print STDERR "y" x 4095, "\n" while 1'], {
      stdio: 'inherit',
    });
    await once(child, 'exit');
  },

  'a daemon': () =>
    perl(`use POSIX; $SIG{$_} = "IGNORE" for qw(TERM INT HUP QUIT PIPE);
      if (fork()) { print "left"; exit }
      POSIX::setsid(); setpgrp(0, 0); exit if fork();
      chdir("/"); open(STDIN, "/dev/null"); open(STDOUT, ">/dev/null"); open(STDERR, ">/dev/null");
      sleep 60`),
  'daemons that follow each other': () =>
    perl(`use POSIX; if (fork()) { print "left"; exit }
      close($_) for (*STDIN, *STDOUT, *STDERR);
      my $end = time + 20;
      while (time < $end) {
        POSIX::setsid(); setpgrp(0, 0); exit if fork();
        select(undef, undef, undef, 0.02);
      }`),
  'a signal to everybody': async () => {
    await sleeper();
    try {
      process.kill(-1, 'SIGKILL');
    } catch {
      return 'nobody is there';
    }
    await pause(200);
    return 'sent';
  },
};

export default async () => {
  const bomb = bombs[order.bomb];
  if (bomb === undefined) throw new Error(`there is no bomb ${order.bomb}`);
  console.log('lit');
  return bomb();
};
