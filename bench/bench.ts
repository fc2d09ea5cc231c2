// What a run by name costs, beside what it replaces: a bare Node process, and a plain Playwright
// script that launches the same Chromium. All rows take turns in one run, so that a noisy machine
// is noisy for all of them; read the ratios, and the milliseconds with care.
//
//   ./dev bench [--repeats 30] [--json FILE] [--only NAME]
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { eventually } from '../tests/support/eventually.ts';
import { Server } from '../tests/support/server.ts';
import { startSite } from '../tests/support/site.ts';
import { deployTask } from '../tests/support/tasks.ts';
import { type Row, table } from './table.ts';

const run = promisify(execFile);
const { values: options } = parseArgs({
  options: {
    repeats: { type: 'string', default: '30' },
    json: { type: 'string' },
    only: { type: 'string', default: '' },
  },
});
const repeats = Number(options.repeats);

const server = new Server({ config: '[runs]\nwarm = 2\n[browser]\nwarm_headful = 1\n' });
const site = await startSite();
const scratch = mkdtempSync(path.join(tmpdir(), 'capstan-bench-'));
const page = `${site.url}/`;

/** Waits until the pools are as full as the server wants them: what is measured is the warm path. */
function warm(): Promise<unknown> {
  return eventually(
    'the pools are warm',
    async () => {
      const { body } = await server.request('GET', '/health', { key: null });
      const idle = body.sessions === 0 && body.runs === 0;
      return idle && body.warm.runners >= 2 && body.warm.browsers >= 2;
    },
    60_000,
  );
}

async function runByName(name: string, body: object): Promise<void> {
  const answer = await server.request('POST', `/v1/task/run/${name}`, { body });
  if (!answer.body.data?.success) throw new Error(answer.text);
}

function playwrightScript(binary: string, args: string[]): string {
  const file = path.join(scratch, `${path.basename(binary)}.mjs`);
  const packages = path.resolve(import.meta.dirname, '../runner/package.json');
  writeFileSync(
    file,
    `import { createRequire } from 'node:module';
     const { chromium } = createRequire(${JSON.stringify(packages)})('playwright-core');
     const browser = await chromium.launch({
       executablePath: ${JSON.stringify(binary)}, args: ${JSON.stringify(args)} });
     const page = await browser.newPage();
     await page.goto(${JSON.stringify(page)});
     if (!(await page.title())) throw new Error('the page has no title');
     await browser.close();`,
  );
  return file;
}

const plainFull = playwrightScript('/usr/lib/chromium/chromium', ['--headless=new']);
const plainShell = playwrightScript('/usr/lib/chromium/chromium-headless-shell', []);
const headless = { headless: { active: true } };

type Bench = { name: string; baseline?: string; prepare?: () => Promise<unknown>; once: () => Promise<unknown> };

async function createSession(body: object): Promise<string> {
  const answer = await server.request('POST', '/v1/sessions', { body });
  if (answer.status !== 200) throw new Error(answer.text);
  return answer.body.data.id;
}

let opened = '';
const benches: Bench[] = [
  { name: 'node -e 0', once: () => run(process.execPath, ['-e', '0']) },
  {
    name: 'run by name: return 1',
    baseline: 'node -e 0',
    prepare: warm,
    once: () => runByName('one', {}),
  },
  { name: 'Playwright script, full Chromium', once: () => run(process.execPath, [plainFull]) },
  {
    name: 'run by name: title, headful',
    baseline: 'Playwright script, full Chromium',
    prepare: warm,
    once: () => runByName('title', { inputs: { ANCHOR_PAGE_URL: page } }),
  },
  { name: 'Playwright script, headless shell', once: () => run(process.execPath, [plainShell]) },
  {
    name: 'run by name: title, headless',
    baseline: 'Playwright script, headless shell',
    prepare: warm,
    once: () =>
      runByName('title', { inputs: { ANCHOR_PAGE_URL: page }, overrideBrowserConfiguration: headless }),
  },
  {
    name: 'POST /v1/sessions, headful',
    baseline: 'Playwright script, full Chromium',
    prepare: warm,
    once: async () => (opened = await createSession({})),
  },
  {
    name: 'POST /v1/sessions, headless',
    baseline: 'Playwright script, headless shell',
    prepare: warm,
    once: async () => (opened = await createSession({ browser: headless })),
  },
];

async function measure(): Promise<Row[]> {
  const chosen = benches.filter((bench) => bench.name.includes(options.only));
  const times = new Map<string, number[]>(chosen.map((bench) => [bench.name, []]));
  for (let round = 0; round < repeats; ++round) {
    for (const bench of chosen) {
      await bench.prepare?.();
      const begin = performance.now();
      await bench.once();
      times.get(bench.name)!.push(performance.now() - begin);
      if (opened) await server.request('DELETE', `/v1/sessions/${opened}`);
      opened = '';
    }
    process.stderr.write(`round ${round + 1} of ${repeats}\r`);
  }
  return chosen.map(({ name, baseline }) => ({ name, baseline, times: times.get(name)! }));
}

try {
  await server.start();
  await deployTask(server, 'one', 'export default async () => 1;');
  await deployTask(
    server,
    'title',
    `import AnchorBrowser from 'anchorbrowser';
     export default async () => {
       const browser = await new AnchorBrowser().browser.connect(process.env.ANCHOR_SESSION_ID!);
       const page = browser.contexts()[0]!.pages()[0]!;
       await page.goto(process.env.ANCHOR_PAGE_URL!);
       return page.title();
     };`,
  );
  const { text, json } = table(await measure());
  console.log(text);
  console.log(JSON.stringify(json));
  if (options.json) writeFileSync(options.json, `${JSON.stringify(json, null, 2)}\n`);
} finally {
  await server.stop();
  await site.stop();
  rmSync(scratch, { recursive: true, force: true });
}
