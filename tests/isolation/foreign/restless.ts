// A task of a busy server: it does what ANCHOR_DO says, and stays a moment where that takes none.
import AnchorBrowser from 'anchorbrowser';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const home = process.env['HOME'] ?? '';
const mark = process.env['ANCHOR_MARK'] ?? '';
const stayMs = Number(process.env['ANCHOR_STAY_MS']);

/** Words that a process bears in its command line, for whoever looks for it. */
const words = (name: string) => `${name}-${mark}`;

const things: Record<string, () => unknown> = {
  'write files': async () => {
    for (let count = 0; count < 100; ++count) {
      const folder = `${home}/files/${count % 10}/${count}`;
      fs.mkdirSync(folder, { recursive: true });
      fs.writeFileSync(`${folder}/file`, Buffer.alloc(8_192, count));
      if (count % 10 === 0) await pause(20);
    }
  },
  'have grandchildren': async () => {
    const code = 'fork() for 1 .. 2; $SIG{TERM} = "IGNORE"; sleep 60';
    spawn('sh', ['-c', `perl -e '${code}' ${words('grandchild')} & wait`], { stdio: 'ignore' });
    await pause(stayMs);
  },
  'leave a daemon': async () => {
    const code = `use POSIX; $SIG{$_} = "IGNORE" for qw(TERM INT HUP QUIT PIPE);
      exit if fork(); POSIX::setsid(); setpgrp(0, 0); exit if fork();
      chdir("/"); close($_) for (*STDIN, *STDOUT, *STDERR); sleep 60`;
    spawnSync('perl', ['-e', code, words('daemon')]);
    await pause(stayMs);
  },
  'use a browser': async () => {
    const session = process.env['ANCHOR_SESSION_ID'] ?? '';
    const browser = await new AnchorBrowser().browser.connect(session);
    await browser.contexts()[0]?.newPage();
    await browser.close();
  },
};

export default async () => {
  await things[process.env['ANCHOR_DO'] ?? '']?.();
  return 'done';
};
