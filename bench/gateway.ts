// What the way out costs: pages that a session loads through its gateway, beside the same headless
// shell, with the same flags, that has no proxy and no cage. Times are the browser's own, so that
// it doesn't matter how far away the client is that asks for them.
import { readFileSync } from 'node:fs';
import { type Browser, chromium, type Page } from '../tests/support/packages.ts';
import { descendantsOf } from '../tests/support/processes.ts';
import { Server } from '../tests/support/server.ts';
import { openSession } from '../tests/support/sessions.ts';
import { HeavySite, pieceCount } from './heavy_site.ts';
import type { Bench, Group } from './measure.ts';

const shell = '/usr/lib/chromium/chromium-headless-shell';
const config = '[runs]\nwarm = 0\n[browser]\nwarm_headful = 0\nwarm_headless = 0\n';
const smallLoads = 5; // in a row, as a single one is over too soon to be told from noise
const ticksPerSecond = 100; // of /proc, on every Linux that Node runs on

/** The flags of the server's browser, but for those that only hold where it is. */
function flagsOf(server: Server): string[] {
  const isForked = (flag: string) => flag.startsWith('--type=');
  const flags = descendantsOf(server.pid)
    .map(({ pid }) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0'))
    .find(([program, ...rest]) => program === shell && !rest.some(isForked));
  if (flags === undefined) throw new Error('the session has no browser');
  const ofPlace = /^--(proxy-|user-data-dir=|remote-debugging-)/;
  return flags.filter((flag) => flag.startsWith('--') && !ofPlace.test(flag));
}

/** Processor time of the process so far, its own and the kernel's for it, in milliseconds. */
function processorTimeOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const [user, system] = stat.slice(stat.lastIndexOf(')') + 2).split(' ').slice(11, 13);
  return ((Number(user) + Number(system)) * 1000) / ticksPerSecond;
}

async function loadTime(page: Page, url: string): Promise<number> {
  await page.goto(url);
  return page.evaluate('performance.getEntriesByType("navigation")[0].duration');
}

async function downloadTime(page: Page, url: string): Promise<number> {
  return page.evaluate(async (address) => {
    const begin = performance.now();
    const { body } = await fetch(address);
    const reader = body!.getReader();
    while (!(await reader.read()).done);
    return performance.now() - begin;
  }, url);
}

export function gateway(): Group {
  const server = new Server({ config });
  const site = new HeavySite();
  const browsers: Browser[] = [];
  const pages: { direct?: Page; gateway?: Page } = {};

  async function load(page: Page, path: string, requests: number): Promise<number> {
    const before = site.requests;
    const time = await loadTime(page, site.url + path);
    const made = site.requests - before;
    if (made !== requests) throw new Error(`${path} took ${made} requests, not ${requests}`);
    return time;
  }

  async function loadSmall(page: Page): Promise<number> {
    let time = 0;
    for (let done = 0; done < smallLoads; ++done) time += await load(page, '/small', 1);
    return time / smallLoads;
  }

  async function processorTimePerGiB(): Promise<number> {
    const before = processorTimeOf(server.pid);
    await downloadTime(pages.gateway!, `${site.url}/download?mib=1024`);
    return processorTimeOf(server.pid) - before;
  }

  function pair(name: string, once: (page: Page) => Promise<number>, every = 1): Bench[] {
    const baseline = `${name}, direct`;
    return [
      { name: baseline, every, once: () => once(pages.direct!) },
      { name: `${name}, gateway`, baseline, every, once: () => once(pages.gateway!) },
    ];
  }

  const loadMany = (page: Page) => load(page, '/many', 1 + pieceCount);
  const download = (page: Page) => downloadTime(page, `${site.url}/download?mib=100`);

  return {
    benches: [
      ...pair('small page', loadSmall),
      ...pair('page of 200 requests', loadMany),
      ...pair('download of 100 MiB', download, 2),
      { name: 'gateway, for 1 GiB', unit: 'ms of CPU', every: 10, once: processorTimePerGiB },
    ],

    async start() {
      await site.start();
      await server.start();
      const body = { browser: { headless: { active: true } } };
      const { cdp_url } = await openSession(server, { body });
      // Root's own Chromium starts without a sandbox only, so the direct one never has it.
      const args = [...flagsOf(server), '--no-sandbox', '--remote-debugging-pipe'];
      const launch = { executablePath: shell, args, ignoreDefaultArgs: true };
      const direct = await chromium.launch(launch);
      browsers.push(direct);
      const caged = await chromium.connectOverCDP(cdp_url);
      browsers.push(caged);
      pages.direct = await direct.newPage();
      pages.gateway = await caged.newPage();
      // The downloads are of the page's own site.
      for (const page of [pages.direct, pages.gateway]) await page.goto(`${site.url}/small`);
    },

    async settle() {},

    async stop() {
      for (const browser of browsers) await browser.close();
      await server.stop();
      await site.stop();
    },
  };
}
