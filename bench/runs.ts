// A run by name and a new session, beside what they replace: a bare Node process, and a plain
// Playwright script that launches the same Chromium.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { eventually } from '../tests/support/eventually.ts';
import { Server } from '../tests/support/server.ts';
import { endSession, openSession } from '../tests/support/sessions.ts';
import { Site } from '../tests/support/site.ts';
import { deployTask, runTask } from '../tests/support/tasks.ts';
import type { Group } from './measure.ts';

const run = promisify(execFile);
const headless = { headless: { active: true } };

const titleTask = `
  import AnchorBrowser from 'anchorbrowser';
  export default async () => {
    const browser = await new AnchorBrowser().browser.connect(process.env.ANCHOR_SESSION_ID!);
    const page = browser.contexts()[0]!.pages()[0]!;
    await page.goto(process.env.ANCHOR_PAGE_URL!);
    return page.title();
  };`;

const plainScript = `
  import { createRequire } from 'node:module';
  const [packages, executablePath, url, ...args] = process.argv.slice(2);
  const { chromium } = createRequire(packages)('playwright-core');
  const browser = await chromium.launch({ executablePath, args });
  const page = await browser.newPage();
  await page.goto(url);
  if (!(await page.title())) throw new Error('the page has no title');
  await browser.close();`;

export function runs(): Group {
  const server = new Server({ config: '[runs]\nwarm = 2\n[browser]\nwarm_headful = 1\n' });
  const site = new Site();
  const packages = path.resolve(import.meta.dirname, '../runner/package.json');
  let scratch = '';
  let opened: string | undefined;

  function plain(program: string, ...flags: string[]): Promise<unknown> {
    const script = path.join(scratch, 'plain.mjs');
    const chromium = `/usr/lib/chromium/${program}`;
    return run(process.execPath, [script, packages, chromium, site.url, ...flags]);
  }

  async function runByName(name: string, body: object = {}): Promise<void> {
    const { success, error } = await runTask(server, name, body);
    if (!success) throw new Error(error);
  }

  function openTitle(browser?: object): Promise<void> {
    const inputs = { ANCHOR_PAGE_URL: site.url };
    return runByName('title', { inputs, overrideBrowserConfiguration: browser });
  }

  async function newSession(browser?: object): Promise<void> {
    opened = (await openSession(server, { body: { browser } })).id;
  }

  return {
    benches: [
      {
        name: 'node -e 0',
        once: async () => void (await run(process.execPath, ['-e', '0'])),
      },
      {
        name: 'run by name: return 1',
        baseline: 'node -e 0',
        once: () => runByName('one'),
      },
      {
        name: 'Playwright script, full Chromium',
        once: async () => void (await plain('chromium', '--headless=new')),
      },
      {
        name: 'run by name: title, headful',
        baseline: 'Playwright script, full Chromium',
        once: () => openTitle(),
      },
      {
        name: 'Playwright script, headless shell',
        once: async () => void (await plain('chromium-headless-shell')),
      },
      {
        name: 'run by name: title, headless',
        baseline: 'Playwright script, headless shell',
        once: () => openTitle(headless),
      },
      {
        name: 'POST /v1/sessions, headful',
        baseline: 'Playwright script, full Chromium',
        once: () => newSession(),
      },
      {
        name: 'POST /v1/sessions, headless',
        baseline: 'Playwright script, headless shell',
        once: () => newSession(headless),
      },
    ],

    async start() {
      scratch = mkdtempSync(path.join(tmpdir(), 'capstan-bench-'));
      writeFileSync(path.join(scratch, 'plain.mjs'), plainScript);
      await site.start();
      await server.start();
      await deployTask(server, 'one', 'export default async () => 1;');
      await deployTask(server, 'title', titleTask);
    },

    // The pools are as full as the server wants them: what is measured is the warm path.
    async settle() {
      if (opened !== undefined) await endSession(server, opened);
      opened = undefined;
      const isWarm = async () => {
        const { body } = await server.request('GET', '/health', { key: null });
        const isIdle = body.sessions === 0 && body.runs === 0;
        return isIdle && body.warm.runners >= 2 && body.warm.browsers >= 2;
      };
      await eventually('the pools are warm', isWarm, 60_000);
    },

    async stop() {
      await server.stop();
      await site.stop();
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}
