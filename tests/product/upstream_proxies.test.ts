// Sessions that leave through a proxy: those that Debian has, as they are. Who asks a site for its
// pages is seen by the site; and no password gets to where it isn't needed.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { makeCertificate } from '../support/certificates.ts';
import type { Page } from '../support/packages.ts';
import { openPage, type OpenPage } from '../support/pages.ts';
import { allProcesses } from '../support/processes.ts';
import type { Answer, RequestOptions } from '../support/requests.ts';
import { dumpOf, filesBelow, foundIn, type Places, wordsOf } from '../support/secrets.ts';
import { Server } from '../support/server.ts';
import { sessionOf } from '../support/sessions.ts';
import { quiet } from '../support/settings.ts';
import { cargoBytes, type Site, startSite, type Visit } from '../support/site.ts';
import { beginRun, deployTask, executionIn, outputOf } from '../support/tasks.ts';
import { type Login, Microsocks, TlsFront, Tinyproxy } from '../support/upstreams.ts';

const limit = { timeout: 60_000 };

// --- the scene -----------------------------------------------------------------------------------

/** Passwords that are nowhere else, so that they can be looked for everywhere. */
const secrets: Record<string, string> = {};

function login(username: string, kind = 'the'): Login {
  const password = randomBytes(12).toString('hex');
  secrets[`${kind} password of ${username}`] = password;
  return { username, password };
}

const nobody: Login = { username: '', password: '' };

const folder = mkdtempSync(path.join(tmpdir(), 'capstan-proxies-'));
const believed = makeCertificate(folder, 'believed');
const unknown = makeCertificate(folder, 'unknown');

const site = await startSite();
const secureSite = await startSite(unknown);
const sites = [site, secureSite];

// Each comes from an address of its own. What comes from 127.0.0.1 has gone around them all.
const open = await new Tinyproxy({ from: '127.0.0.2' }).start();
const http = await new Tinyproxy({ from: '127.0.0.3', login: login('hermes') }).start();
const openSocks = await new Microsocks({ from: '127.0.0.4' }).start();
const socks = await new Microsocks({ from: '127.0.0.5', login: login('iris') }).start();
const https = await new TlsFront(http, believed).start();
const impostor = await new TlsFront(http, unknown).start();
// The server's own exits may be where its browsers may not go: only 127.0.0.1 is allowed.
const elsewhere = '127.0.0.9';
const ofExit = login('exit');
const german = new Tinyproxy({ from: '127.0.0.6', address: elsewhere, login: ofExit });
const ofPlace = login('customer-us-st-new_york-city-albany');
const american = new Microsocks({ from: '127.0.0.7', address: elsewhere, login: ofPlace });
await german.start();
await american.start();

function passwordFile({ username, password }: Login): string {
  const file = path.join(folder, username);
  writeFileSync(file, `${password}\n`, { mode: 0o600 });
  return file;
}

const exits = `
[[egress.exits]]
country = "de"
server = "${german.server}"
username = "${ofExit.username}"
password_file = "${passwordFile(ofExit)}"
[[egress.exits]]
server = "${american.server}"
username = "customer-{country}[-st-{region}][-city-{city}]"
password_file = "${passwordFile(ofPlace)}"
`;

/** Everything that the server has answered, and what pages were told in place of a site's. */
const answers: string[] = [];

class HeardServer extends Server {
  override async request(...words: [string, string, RequestOptions?]): Promise<Answer> {
    const answer = await super.request(...words);
    answers.push(`${words[0]} ${words[1]}: ${JSON.stringify(answer.headers)} ${answer.text}`);
    return answer;
  }
}

const server = new HeardServer({
  config: quiet({ task: { network: 'egress' } }) + exits,
  env: { SSL_CERT_FILE: believed.file },
  data: path.join(folder, 'data'),
});
await server.start();
after(async () => {
  await server.stop();
  const all = [...sites, https, impostor, open, http, openSocks, socks, german, american];
  await Promise.all(all.map((each) => each.stop()));
  rmSync(folder, { recursive: true });
});

type Proxy = { server: string; login: Login };
const custom = ({ server, login }: Proxy): object => ({
  ...{ active: true, type: 'custom', server, ...login },
});
const anchor = (place: object): object => ({ active: true, type: 'anchor_proxy', ...place });
const through = (proxy: object): Promise<OpenPage> =>
  openPage(server, { session: { proxy, tags: ['ahoy'] } });

/** Who came to any of the sites while `work` was done. */
async function visitsDuring(work: () => Promise<unknown>): Promise<Visit[]> {
  const before = sites.map(({ visits }) => visits.length);
  await work();
  return sites.flatMap(({ visits }, index) => visits.slice(before[index]));
}

/** Asserts that somebody came while `work` was done, and everybody from that address. */
async function allFrom(from: string, work: () => Promise<unknown>): Promise<void> {
  const visits = await visitsDuring(work);
  assert.ok(visits.length > 0, 'somebody came');
  assert.deepEqual([...new Set(visits.map((visit) => visit.from))], [from]);
}

/** The site of https has a certificate that no browser believes, so the page is told to. */
async function believeAll(page: Page): Promise<void> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Security.setIgnoreCertificateErrors', { ignore: true });
}

/** What a WebSocket of the page says first, or that it does not come to that. */
function wordFrom(page: Page, { url }: Site): Promise<unknown> {
  return page.evaluate(`new Promise((told) => {
    const socket = new WebSocket('${url.replace('http', 'ws')}/socket');
    socket.onmessage = ({ data }) => told(data);
    socket.onerror = () => told('nothing');
  })`);
}

// --- pages ---------------------------------------------------------------------------------------

const kinds: Record<string, Proxy & { from: string }> = {
  'an http proxy': open,
  'an http proxy with a password': http,
  'an https proxy with a password': https,
  'a socks5 proxy': openSocks,
  'a socks5 proxy with a password': socks,
};

for (const [kind, proxy] of Object.entries(kinds)) {
  test(`a page comes through ${kind}, with all that it opens`, limit, async () => {
    const { page, close } = await through(custom(proxy));
    await allFrom(proxy.from, async () => {
      await page.goto(`${site.url}/form`);
      await page.fill('input', 'Ida');
      await page.click('button');
      assert.equal(await page.textContent('#greeting'), 'Hello, Ida');
      assert.equal(await wordFrom(page, site), 'Ahoy', 'by WebSocket');
      await believeAll(page);
      await page.goto(`${secureSite.url}/`);
      assert.equal(await page.title(), 'The harbour', 'by https');
      assert.equal(await wordFrom(page, secureSite), 'Ahoy', 'by WebSocket in TLS');
    });
    await close();
  });
}

test('what sites are sent has nothing of the login', limit, () => {
  const visits = sites.flatMap((each) => each.visits);
  const names = visits.flatMap(({ headers }) => headers.filter((_, index) => index % 2 === 0));
  assert.ok(names.includes('Host'));
  assert.deepEqual(names.filter((name) => /^proxy-/i.test(name)), []);
  assert.deepEqual(foundIn({ visits: JSON.stringify(visits) }, secrets), []);
});

test("a session's proxy_bytes are what went both ways, in its row too", limit, async () => {
  const { id, page, close } = await through(custom(socks));
  await page.goto(`${site.url}/`);
  const bytesBy = async (work: string): Promise<number> => {
    const before = (await sessionOf(server, id)).proxy_bytes;
    assert.equal(await page.evaluate(work), cargoBytes);
    return (await sessionOf(server, id)).proxy_bytes - before;
  };
  const body = `'x'.repeat(${cargoBytes})`;
  const works = [
    `fetch('/cargo').then((answer) => answer.arrayBuffer()).then((cargo) => cargo.byteLength)`,
    `fetch('/cargo', { method: 'POST', body: ${body} }).then((answer) => ${cargoBytes})`,
  ];
  for (const work of works) {
    const bytes = await bytesBy(work);
    const overhead = bytes - cargoBytes;
    assert.ok(overhead > 0 && overhead < 20_000, `${bytes} bytes for ${cargoBytes}: ${work}`);
  }
  const running = (await sessionOf(server, id)).proxy_bytes;
  await close();
  const ended = (await sessionOf(server, id)).proxy_bytes;
  assert.ok(ended >= running && ended < running + 20_000, `${ended} after ${running}`);

  const direct = await openPage(server);
  await allFrom('127.0.0.1', () => direct.page.goto(`${site.url}/`));
  await direct.close();
  assert.equal((await sessionOf(server, direct.id)).proxy_bytes, 0, 'without a proxy');
});

// --- tasks and exits -----------------------------------------------------------------------------

// Fetch goes straight to 127.0.0.1, so it isn't asked.
const opensPage = `
  import http from 'node:http';
  import AnchorBrowser from 'anchorbrowser';
  export default async () => {
    const address = process.env.ANCHOR_PAGE_URL!;
    const browser = await new AnchorBrowser().browser.connect(process.env.ANCHOR_SESSION_ID!);
    const [page] = browser.contexts()[0]!.pages();
    await page!.goto(address + '/');
    const title = await page!.title();
    await browser.close();
    const { hostname, port } = new URL(process.env.HTTP_PROXY!);
    const status = await new Promise((told, fail) => {
      const path = address + '/form';
      const order = { host: hostname, port, path, headers: { host: new URL(address).host } };
      http.get(order, (answer) => told(answer.statusCode)).on('error', fail);
    });
    return [title, status];
  };`;

test("a run's browser and its own requests take its task's proxy", limit, async () => {
  const inputs = { ANCHOR_PAGE_URL: site.url };
  const browserConfiguration = { proxy: custom(http) };
  await deployTask(server, 'proxied', opensPage, { browserConfiguration });
  const runs = async (order: object = {}): Promise<void> => {
    assert.deepEqual(await outputOf(server, 'proxied', { inputs, ...order }), ['The harbour', 200]);
  };
  const over = (proxy: object): object => ({ overrideBrowserConfiguration: { proxy } });
  await allFrom(http.from, () => runs());
  await allFrom(socks.from, () => runs(over(custom(socks))));
  await allFrom(german.from, () => runs(over(anchor({ country_code: 'de' }))));
  await allFrom('127.0.0.1', () => runs(over({ active: false })));
  await allFrom(http.from, () => runs());
});

test("a page comes out at its place, through the server's exit for it", limit, async () => {
  const albany = { country_code: 'us', region: 'New York', city: 'Albany' };
  for (const [place, exit] of [[{ country_code: 'de' }, german], [albany, american]] as const) {
    const { page, close } = await through(anchor(place));
    await allFrom(exit.from, async () => {
      await page.goto(`${site.url}/`);
      assert.equal(await page.title(), 'The harbour');
      await believeAll(page);
      await page.goto(`${secureSite.url}/`);
    });
    await close();
  }
  const boston = { ...albany, region: 'Massachusetts', city: 'Boston' };
  await comesToNothing(anchor(boston), american.server, /does not accept the user name/);
});

// --- proxies that fail ---------------------------------------------------------------------------

/** What the log says of the session's proxy. */
function troublesOf(session: string): string[] {
  const lines = server.log.map((line) => JSON.parse(line));
  const told = lines.filter(({ event, owner }) => event === 'upstream_failed' && owner === session);
  return told.map(({ reason }) => reason);
}

/** Asserts that the page is given no other page, by any way, and is told why. */
async function failsToLoad(page: Page, reason: RegExp): Promise<void> {
  const answer = await page.goto(`${site.url}/`);
  const text = `${await page.textContent('body')}`;
  answers.push(`${JSON.stringify(await answer?.allHeaders())} ${text}`);
  assert.match(text, reason);
  assert.ok(answer && answer.status() >= 400, `${answer?.status()}`);
  assert.equal(await wordFrom(page, site), 'nothing');
  // What a browser shows in place of a page may come late, so it gets a page of its own.
  const other = await page.context().newPage();
  await believeAll(other);
  await assert.rejects(other.goto(`${secureSite.url}/`), /ERR_TUNNEL_CONNECTION_FAILED/);
  await other.close();
}

/**
 * Asserts that a session with that proxy reaches no site, and that the log tells why, naming the
 * proxy, and the page the same or what it is told.
 */
async function comesToNothing(
  proxy: object,
  place: string,
  reason: RegExp,
  told = reason,
): Promise<void> {
  const before = await server.metric('capstan_egress_upstream_failures_total');
  const { id, page, close } = await through(proxy);
  const visits = await visitsDuring(() => failsToLoad(page, told));
  await close();
  assert.deepEqual(visits, [], 'nothing goes around it');
  const troubles = troublesOf(id);
  assert.ok(troubles.length >= 2, `both tunnels: ${troubles.join('\n')}`);
  for (const trouble of troubles) {
    assert.match(trouble, reason);
    assert.ok(trouble.startsWith(`the proxy ${new URL(place).host} `), trouble);
  }
  const failures = (await server.metric('capstan_egress_upstream_failures_total')) - before;
  assert.equal(failures, troubles.length);
}

test('with a wrong password for socks5, no page comes, and why is told', limit, async () => {
  const { server: place } = socks;
  const wrong = { server: place, login: login('iris', 'the wrong') };
  await comesToNothing(custom(wrong), place, /does not accept the user name or password/);
  await comesToNothing(custom({ server: place, login: nobody }), place, /wants a user name/);
});

// Tinyproxy says 401 to a wrong password, where others say 407. To a page that is what it says.
for (const [kind, { server: place }] of Object.entries({ http, https })) {
  test(`with a wrong password for ${kind}, no page comes, and why is told`, limit, async () => {
    const wrong = { server: place, login: login('hermes', `the wrong ${kind}`) };
    const reason = /it answers 401|does not accept the user name or password/;
    await comesToNothing(custom(wrong), place, reason, /^\s*Unauthorized\s/);
    await comesToNothing(custom({ server: place, login: nobody }), place, /wants a user name/);
  });
}

test('a proxy whose certificate is not believed is told no password', limit, async () => {
  await comesToNothing(custom(impostor), impostor.server, /its certificate is not believed/);
  assert.equal(impostor.bytes, 0);
  assert.ok(https.bytes > 0, 'what is believed is counted');
});

test("a caller's proxy may not be where a caller's page may not go", limit, async () => {
  const log = german.log;
  const proxy = custom(german);
  await comesToNothing(proxy, german.server, /not on the public internet.*egress\.allow/);
  assert.equal(german.log, log, 'nobody asked it');
});

for (const [kind, proxy] of Object.entries({ http, socks5: socks })) {
  test(`no page comes when the ${kind} proxy dies, until it is back`, limit, async () => {
    const { page, close } = await through(custom(proxy));
    await believeAll(page);
    await allFrom(proxy.from, async () => {
      await page.goto(`${site.url}/`);
      const waits = site.visitorWaits();
      const broken = page.evaluate(`fetch('/never').then(({ status }) => status, () => 'nothing')`);
      await waits;
      await proxy.kill();
      const outcome = await broken;
      assert.ok(outcome === 'nothing' || outcome === 502, `the page was given ${outcome}`);
    });
    const visits = await visitsDuring(() => failsToLoad(page, /refuses the connection/));
    assert.deepEqual(visits, []);
    await proxy.start();
    await allFrom(proxy.from, async () => {
      await page.goto(`${site.url}/`);
      assert.equal(await page.title(), 'The harbour');
      assert.equal(await wordFrom(page, secureSite), 'Ahoy');
    });
    await close();
  });
}

// --- passwords -----------------------------------------------------------------------------------

/** What users, and whoever looks at the machine, can see of the server. */
function visiblePlaces(): Places {
  const log = server.log.join('\n');
  const scratch = filesBelow(server.scratch);
  return { log, answers: answers.join('\n'), ...filesBelow(server.dataDir), ...scratch };
}

test('a secret is found where it is', limit, async () => {
  const decoy = randomBytes(12).toString('hex');
  const base64 = Buffer.from(`hermes:${decoy}`).toString('base64');
  const file = path.join(server.dataDir, 'decoy');
  writeFileSync(file, `\0\xff${decoy}`, 'latin1');
  const words = ['--pdeathsig', 'KILL', 'tail', '-f', '/dev/null', decoy];
  const env = { ...process.env, DECOY: base64 };
  const child = spawn('setpriv', words, { env, stdio: 'ignore' });
  try {
    const { pid } = child;
    const has = (place: string): string => `${place} has decoy`;
    const places = { ...visiblePlaces(), ...wordsOf(allProcesses()) };
    const all = ['decoy', `cmdline of ${pid}`, `environ of ${pid}`].map(has);
    assert.deepEqual(foundIn(places, { decoy }).sort(), all.sort());
  } finally {
    child.kill('SIGKILL');
    rmSync(file);
  }
});

/** Asks for everything that there is to know of the task, its run and a session. */
async function askForAll(task: string, run: string, session: string): Promise<void> {
  const ofTask = ['', '/versions', '/latest', '/draft', '/1', '/executions'];
  const ofRun = ['', '/logs'].map((rest) => `/executions/${run}${rest}`);
  const paths = [...ofTask, ...ofRun].map((rest) => `/v1/task/${task}${rest}`);
  const others = ['/v1/task', `/v1/sessions/${session}`, '/v1/sessions/all/status?proxy=true'];
  others.push(`/v1/sessions/${session}/pages`, '/health', '/metrics');
  for (const each of [...paths, ...others]) {
    const answer = await server.request('GET', each);
    assert.equal(answer.status, 200, `${each}: ${answer.text}`);
  }
}

const staysOnPage = `
  import AnchorBrowser from 'anchorbrowser';
  export default async () => {
    const browser = await new AnchorBrowser().browser.connect(process.env.ANCHOR_SESSION_ID!);
    const [page] = browser.contexts()[0]!.pages();
    await page!.goto(process.env.ANCHOR_PAGE_URL! + '/never');
  };`;

test('no password is with any process, in the log, in an answer or in a file', limit, async () => {
  const albany = { country_code: 'us', region: 'New York', city: 'Albany' };
  const proxies = [custom(socks), custom(https), anchor({ country_code: 'de' }), anchor(albany)];
  const opened = await Promise.all(proxies.map((proxy) => through(proxy)));
  await Promise.all(opened.map(({ page }) => page.goto(`${site.url}/`)));
  const browserConfiguration = { proxy: custom(http) };
  const task = await deployTask(server, 'stays', staysOnPage, { browserConfiguration });
  const waits = site.visitorWaits();
  const run = await beginRun(server, 'stays', { inputs: { ANCHOR_PAGE_URL: site.url } });
  await waits;
  const [{ id: session }] = opened as [OpenPage];
  await askForAll(task, run, session);

  const words = wordsOf(allProcesses());
  const dump = dumpOf(server.dataDir);
  const places: Places = { ...visiblePlaces(), ...words, dump };
  assert.deepEqual(foundIn(places, secrets), []);
  const browsers = Object.values(words).filter((text) => text.includes('--remote-debugging-pipe'));
  assert.ok(browsers.length >= 5, 'there are the browsers');
  // The places hold what is near a password.
  const answered = '"username":"hermes"';
  const near = { log: session, answers: answered, 'capstan.toml': 'customer-{country}' };
  for (const [place, text] of Object.entries(near)) {
    assert.ok(places[place]?.includes(text), `${place} has ${text}`);
  }
  assert.ok(dump.includes('ahoy') && dump.includes(`\\"username\\":\\"iris\\"`), 'in its row');
  assert.match(dump, /\\"password\\":\\"v1:/, 'and sealed');

  await Promise.all(opened.map(({ browser }) => browser.close()));
  await server.kill9();
  assert.deepEqual(foundIn(visiblePlaces(), secrets), [], 'after a crash');
  await server.start();
  await executionIn(server, task, run, ['failure']);
  await server.stop();
  const log = server.log.join('\n');
  const owner = ({ username }: Login): string => `${username} has the password of ${username}`;
  const stays = [ofExit, ofPlace].map(owner);
  const found = foundIn({ log, ...filesBelow(folder) }, secrets);
  assert.deepEqual(found.sort(), stays.sort(), "in the server's own password files alone");
});
