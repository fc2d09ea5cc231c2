// What a cage adds to the start of what runs in it. Two servers without anything warm, of which one
// may use no walls, start the same program in turn, and tell how long that took.
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { eventually } from '../tests/support/eventually.ts';
import { descendantsOf } from '../tests/support/processes.ts';
import { Server } from '../tests/support/server.ts';
import { endSession, openSession } from '../tests/support/sessions.ts';
import { deployTask, outputOf } from '../tests/support/tasks.ts';
import type { Bench, Group } from './measure.ts';

type Start = (server: Server) => Promise<void>;

function settings(levelMax: string): string {
  return `
    [isolation]
    minimum = "${levelMax}"
    maximum = "${levelMax}"
    [runs]
    warm = 0
    [browser]
    warm_headful = 0
    warm_headless = 0`.replaceAll(/^ +/gm, '');
}

/** It is no part of a cage, and where every program has a user of its own, Node finds none. */
function withoutCompileCache(server: Server): void {
  const cache = path.join(server.dataDir, 'compile-cache');
  rmSync(cache, { recursive: true });
  writeFileSync(cache, 'not a folder, and so of no use to Node');
}

async function startNode(server: Server): Promise<void> {
  await outputOf(server, 'one');
}

async function startBrowser(server: Server, active: boolean): Promise<void> {
  const body = { browser: { headless: { active } } };
  await endSession(server, (await openSession(server, { body })).id);
}

/** How long the one start took that `start` makes the server do, in milliseconds. */
async function timed(server: Server, metric: string, start: Start): Promise<number> {
  const seconds = await server.metric(`${metric}_sum`);
  const starts = await server.metric(`${metric}_count`);
  await start(server);
  const counted = (await server.metric(`${metric}_count`)) - starts;
  if (counted !== 1) throw new Error(`${metric} counted ${counted} starts`);
  return ((await server.metric(`${metric}_sum`)) - seconds) * 1000;
}

export function cages(): Group {
  const caged = new Server({ config: settings('strict') });
  const uncaged = new Server({ config: settings('none') });

  function pair(what: string, metric: string, start: Start): Bench[] {
    const baseline = `start of ${what}, uncaged`;
    return [
      { name: baseline, once: () => timed(uncaged, metric, start) },
      { name: `start of ${what}, caged`, baseline, once: () => timed(caged, metric, start) },
    ];
  }

  return {
    benches: [
      ...pair('Node', 'capstan_runner_start_seconds', startNode),
      ...pair('headless shell', 'capstan_browser_launch_seconds', (on) => startBrowser(on, true)),
      ...pair('full Chromium', 'capstan_browser_launch_seconds', (on) => startBrowser(on, false)),
    ],

    async start() {
      for (const server of [caged, uncaged]) {
        await server.start();
        await deployTask(server, 'one', 'export default async () => 1;');
        withoutCompileCache(server);
      }
    },

    async settle() {
      const areAlone = () => [caged, uncaged].every(({ pid }) => descendantsOf(pid).length === 0);
      await eventually('what was started has gone', areAlone, 30_000);
    },

    async stop() {
      await caged.stop();
      await uncaged.stop();
    },
  };
}
