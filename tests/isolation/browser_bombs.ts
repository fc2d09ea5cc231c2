// The ways by which a page, or who drives the browser, may take as much as it can get of one thing.
// Each has an end of its own, beyond what a session may have in the test, so that a limit that
// doesn't hold costs the machine little.
import { eventually } from '../support/eventually.ts';
import type { Driver } from './driver.ts';

/** What goes off; `page` shows a site of its own, where pages may store. Tells what came of it. */
export type BrowserBomb = (driver: Driver, page: string) => Promise<unknown>;

const mib = 1024 * 1024;

/** Runs the body of an async function in the page. */
const inPage = (body: string): BrowserBomb => {
  return (driver, page) => driver.evaluate(`(async () => { ${body} })()`, page);
};

/** Stores pieces of a mebibyte that nobody can make smaller, until it is refused. */
const storing = (open: string, put: string): BrowserBomb =>
  inPage(`
    const piece = new Uint8Array(${mib});
    for (let at = 0; at < piece.length; at += 65536) {
      crypto.getRandomValues(piece.subarray(at, at + 65536));
    }
    ${open}
    for (let count = 0; count < 192; ++count) {
      try { ${put} } catch (error) { return error.name; }
    }
    return 'unbounded';`);

export const bombs: Record<string, BrowserBomb> = {
  'a page that allocates': inPage(`
    const kept = [];
    for (let count = 0; count < 128; ++count) {
      kept.push(new Uint8Array(${16 * mib}).fill(1));
      await new Promise((next) => setTimeout(next));
    }
    return 'unbounded';`),
  'many tabs': async (driver) => {
    for (let count = 0; count < 64; ++count) {
      const page = await driver.newPage();
      await driver.evaluate('globalThis.kept = new Uint8Array(1_000_000).fill(1), 0', page);
    }
    return 'unbounded';
  },
  'many workers': inPage(`
    const source = URL.createObjectURL(new Blob(['postMessage(1); setInterval(() => {}, 1e6);']));
    globalThis.kept = [];
    for (let count = 0; count < 400; ++count) {
      const worker = new Worker(source);
      kept.push(worker);
      const answered = new Promise((done) => { worker.onmessage = worker.onerror = done; });
      const late = new Promise((done) => setTimeout(done, 2_000, 'no worker any more'));
      const answer = await Promise.race([answered, late]);
      if (answer === 'no worker any more') return answer;
    }
    return 'unbounded';`),
  'frames that make frames': inPage(`
    let count = 0;
    const fill = (document, depth) => {
      for (let side = 0; side < 3 && count < 300; ++side, ++count) {
        const frame = document.createElement('iframe');
        document.body.append(frame);
        if (depth > 0) fill(frame.contentDocument, depth - 1);
      }
    };
    while (count < 300) { fill(document, 6); await new Promise((next) => setTimeout(next)); }
    return 'unbounded';`),
  'downloads without end': async (driver, page) => {
    await driver.client.call('Browser.setDownloadBehavior', {
      behavior: 'allow',
      downloadPath: '/tmp',
      eventsEnabled: true,
    });
    const ends: string[] = [];
    for (let count = 0; count < 24; ++count) {
      driver.client.received.splice(0);
      const click = `{
        const href = URL.createObjectURL(new Blob([new Uint8Array(${8 * mib}).fill(${count})]));
        Object.assign(document.createElement('a'), { href, download: 'file-${count}' }).click();
      }`;
      await driver.evaluate(click, page);
      const end = () =>
        driver.client.received
          .filter(({ method }) => method === 'Browser.downloadProgress')
          .map(({ params }) => params.state as string)
          .find((state) => state !== 'inProgress');
      ends.push(await eventually('a download ends', end, 5_000).catch(() => 'never'));
    }
    return ends.join();
  },
  'a database without end': storing(
    `const database = await new Promise((done, failed) => {
      const asked = indexedDB.open('bomb');
      asked.onupgradeneeded = () => asked.result.createObjectStore('pieces');
      asked.onsuccess = () => done(asked.result);
      asked.onerror = () => failed(asked.error);
    });`,
    `await new Promise((done, failed) => {
      const change = database.transaction('pieces', 'readwrite', { durability: 'strict' });
      change.objectStore('pieces').put(new Blob([piece, String(count)]), count);
      change.oncomplete = done;
      change.onabort = change.onerror = () => failed(change.error ?? new Error('aborted'));
    });`,
  ),
  'a file system without end': storing(
    'const root = await navigator.storage.getDirectory();',
    `const file = await root.getFileHandle('file-' + count, { create: true });
    const out = await file.createWritable();
    await out.write(piece);
    await out.close();`,
  ),
  'a console without end': async (driver, page) => {
    await driver.client.call('Runtime.enable', {}, page);
    const forget = setInterval(() => driver.client.received.splice(0), 20);
    const flood = inPage(`
      const line = 'x'.repeat(65_536);
      const end = performance.now() + 4_000;
      while (performance.now() < end) {
        for (let count = 0; count < 16; ++count) console.log(line);
        await new Promise((next) => setTimeout(next));
      }
      return 'over';`);
    return flood(driver, page).finally(() => clearInterval(forget));
  },
  'huge messages to the browser': async (driver, page) => {
    const text = 'x'.repeat(64 * mib);
    for (let count = 0; count < 3; ++count) {
      const expression = `globalThis.kept${count} = '${text}'; 0`;
      await driver.client.call('Runtime.evaluate', { expression }, page);
    }
    return 'unbounded';
  },
  'huge messages from the browser': async (driver, page) => {
    for (let count = 0; count < 3; ++count) {
      await driver.evaluate(`'y'.repeat(${32 * mib})`, page);
      driver.client.received.splice(0);
    }
    return 'unbounded';
  },
};
