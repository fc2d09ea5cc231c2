// What it costs to record a session and to watch it: processor time of everything that the server
// runs, over some seconds of pages that move little and much; how soon a viewer sees what a click
// has done; and how large recordings become.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { chromium } from '../tests/support/packages.ts';
import { descendantsOf } from '../tests/support/processes.ts';
import { Server } from '../tests/support/server.ts';
import { endSession, openSession } from '../tests/support/sessions.ts';
import type { Bench, Group } from './measure.ts';

const config = '[runs]\nwarm = 0\n[browser]\nwarm_headful = 0\nwarm_headless = 0\n';
const settlingMs = 2_000;
const windowMs = 5_000;
const ticksPerSecond = 100; // of /proc, on every Linux that Node runs on
const clicks = 20;

const cards = Array.from({ length: 30 }, (_, i) => `<p class="card">Card ${i}</p>`).join('');
const pages = {
  idle: cards,
  spinner: `<style>@keyframes turn { to { transform: rotate(1turn) } }
    #spinner { width: 40px; height: 40px; border: 6px solid #ccc; border-top-color: #06c;
      border-radius: 50%; animation: turn 1s linear infinite }</style>
    <div id="spinner"></div>${cards}`,
  form: `<textarea id="field" rows="10" cols="80"></textarea>${cards.repeat(4)}<script>
    let typed = 0;
    setInterval(() => {
      field.value += String.fromCharCode(97 + (typed++ % 26));
      if (typed % 60 === 0) { document.body.style.background = typed % 120 ? '#eef' : '#fff'; }
      if (typed % 20 === 0) scrollTo({ top: typed % 40 ? 400 : 0, behavior: 'smooth' });
    }, 100);</script>`,
  animation: `<style>.tile { position: absolute; width: 120px; height: 90px }</style><script>
    const tiles = Array.from({ length: 24 }, (_, i) => Object.assign(document.createElement('div'),
      { className: 'tile', style: 'background: hsl(' + i * 15 + ' 80% 50%)' }));
    document.body.append(...tiles);
    const move = (now) => {
      tiles.forEach((tile, i) => {
        tile.style.left = 600 + 500 * Math.sin(now / 900 + i) + 'px';
        tile.style.top = 380 + 320 * Math.cos(now / 700 + i * 2) + 'px';
      });
      requestAnimationFrame(move);
    };
    requestAnimationFrame(move);</script>`,
};

type Shown = { id: string; link: string };

/** Milliseconds of processor time that each process has taken so far. */
function processorTimes(server: Server): Map<number, number> {
  const times = new Map<number, number>();
  for (const pid of [server.pid, ...descendantsOf(server.pid).map((each) => each.pid)]) {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [user, system] = stat.slice(stat.lastIndexOf(')') + 2).split(' ').slice(11, 13);
    times.set(pid, ((Number(user) + Number(system)) * 1000) / ticksPerSecond);
  }
  return times;
}

async function processorShare(server: Server): Promise<number> {
  const before = processorTimes(server);
  const begun = performance.now();
  await pause(windowMs);
  let taken = 0;
  for (const [pid, time] of processorTimes(server)) taken += time - (before.get(pid) ?? 0);
  return (taken * 100) / (performance.now() - begun);
}

async function show(server: Server, headless: boolean, html: string, active: boolean): Promise<Shown> {
  const body = {
    session: { recording: { active } },
    browser: { headless: { active: headless } },
  };
  const { id, cdp_url, live_view_url } = (await openSession(server, { body })) as any;
  const browser = await chromium.connectOverCDP(cdp_url);
  await browser.contexts()[0]!.pages()[0]!.setContent(`<body>${html}</body>`);
  await browser.close();
  return { id, link: live_view_url };
}

/** A viewer that acknowledges each picture at once, as a page does that draws quickly. */
async function watch({ link }: Shown, onPicture: (area: number) => void = () => {}) {
  const headers = { 'content-type': 'application/json' };
  const claimed = await fetch(`${link}/claim`, { method: 'POST', headers, body: '{}' });
  const { data } = (await claimed.json()) as any;
  const socket = new WebSocket(`${link.replace('http', 'ws')}/socket?ticket=${data.ticket}`);
  socket.binaryType = 'arraybuffer';
  socket.addEventListener('message', ({ data }) => {
    if (!(data instanceof ArrayBuffer)) return;
    const head = new DataView(data);
    socket.send(JSON.stringify({ type: 'ack', seq: head.getUint32(4, true) }));
    onPicture(head.getUint16(12, true) * head.getUint16(14, true));
  });
  await once(socket, 'open');
  return socket;
}

/** From a click on the page until a picture of most of it has come; the median of some. */
async function clickToPicture(server: Server, headless: boolean): Promise<number> {
  const green = `document.body.style.background = document.body.style.background ? '' : 'green'`;
  const html = `<style>body { height: 100vh; margin: 0 }</style>
    <script>addEventListener('mousedown', () => { ${green} })</script>`;
  const shown = await show(server, headless, html, true);
  let seen: (() => void) | undefined;
  const socket = await watch(shown, (area) => area > 500_000 && seen?.());
  const times: number[] = [];
  for (let click = 0; click < clicks; ++click) {
    await pause(700); // longer than it takes until a resting picture is sent once more
    const picture = new Promise<void>((resolve) => (seen = resolve));
    const begun = performance.now();
    const place = { x: 700, y: 500, button: 0, clicks: 1, modifiers: 0 };
    socket.send(JSON.stringify({ type: 'pointer', event: 'down', buttons: 1, ...place }));
    await picture;
    times.push(performance.now() - begun);
    socket.send(JSON.stringify({ type: 'pointer', event: 'up', buttons: 0, ...place }));
  }
  socket.close();
  await endSession(server, shown.id);
  return times.toSorted((one, other) => one - other)[clicks / 2]!;
}

export function shown(): Group {
  const server = new Server({ config });
  const every = 15; // a window takes seconds, and there are many

  async function cost(headless: boolean, html: string, active: boolean, viewers: number) {
    const shown = await show(server, headless, html, active);
    const sockets = await Promise.all(Array.from({ length: viewers }, () => watch(shown)));
    await pause(settlingMs);
    const share = await processorShare(server);
    for (const socket of sockets) socket.close();
    await endSession(server, shown.id);
    return share;
  }

  async function mibPerMinute(html: string): Promise<number> {
    const { id } = await show(server, false, html, true);
    await pause(10_000);
    await endSession(server, id);
    await server.request('GET', `/v1/sessions/${id}/recordings/primary/fetch`);
    const { body } = await server.request('GET', `/v1/sessions/${id}/recordings`);
    const [{ size, duration }] = body.data.items;
    return (size * 60) / Number(duration) / 2 ** 20;
  }

  const benches: Bench[] = [];
  for (const kind of ['headful', 'headless'] as const) {
    for (const [page, html] of Object.entries(pages)) {
      const baseline = `shown: ${kind} ${page}, not recorded`;
      const rows: [string, boolean, number][] = [
        [baseline, false, 0],
        [`shown: ${kind} ${page}, recorded`, true, 0],
        [`shown: ${kind} ${page}, recorded and watched by 1`, true, 1],
        [`shown: ${kind} ${page}, recorded and watched by 5`, true, 5],
      ];
      for (const [name, active, viewers] of rows) {
        const once = () => cost(kind === 'headless', html, active, viewers);
        const compared = name === baseline ? {} : { baseline };
        benches.push({ name, unit: '% of a core', every, once, ...compared });
      }
    }
    const latency = () => clickToPicture(server, kind === 'headless');
    benches.push({ name: `shown: ${kind}, click to picture`, every, once: latency });
  }
  for (const [page, html] of Object.entries(pages)) {
    const once = () => mibPerMinute(html);
    benches.push({ name: `shown: recording of ${page}`, unit: 'MiB a minute', every, once });
  }
  const isQuiet = () => descendantsOf(server.pid).length === 0;
  return {
    benches,
    start: () => server.start(),
    settle: async () => {
      while (!isQuiet()) await pause(100);
    },
    stop: () => server.stop(),
  };
}
