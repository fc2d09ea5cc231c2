// Sends a browser and a task to every canary around a server, by every way that there is.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { browsersOf } from '../support/processes.ts';
import type { Server } from '../support/server.ts';
import { openSession } from '../support/sessions.ts';
import { deployTask, outputOf } from '../support/tasks.ts';
import { Driver } from './driver.ts';
import type { Reached, ReachingOrder } from './foreign/reaching.ts';
import { fewHosts, hosts, publicName, trustedName } from './hosts.ts';
import { type Outside, siteAnswer } from './outside.ts';
import { neighbour } from './own_network.ts';
import { callWays, eagerWays, going, silentWays, trustedWays, ways } from './page_ways.ts';

const taskCode = readFileSync(new URL('foreign/reaching.ts', import.meta.url), 'utf8');
const toHost = (host: string) => `to ${host}`;

const contexts = {
  'context without a proxy': { proxyServer: 'direct://' },
  'context without a proxy for anybody': { proxyServer: 'direct://', proxyBypassList: '*' },
  'context with a bypass alone': { proxyServer: 'http://127.0.0.1:1', proxyBypassList: '*' },
};
const proxies = {
  'context with an HTTP proxy': 'http',
  'context with a TLS proxy': 'https',
  'context with a SOCKS 4 proxy': 'socks4',
  'context with a SOCKS 5 proxy': 'socks5',
};
/** What is tried by a page of a context that has no proxy. */
const waysOfContext = { fetch: ways['fetch']!, WebSocket: ways['WebSocket']! };
const ofContext = (way: string) => `${way} of such a context`;

/** By its own code, as it is told to go out. */
const requestsOfTask = ['fetch of a task', 'request of a task'];

/** The names of all attempts, by what they go through. */
export const attempts = {
  throughGateway: [
    ...[ways, trustedWays, callWays, eagerWays].flatMap(Object.keys),
    ...['navigation', 'new window', 'resource by DevTools', 'proxy of a session'],
    ...hosts.map(toHost),
    ...requestsOfTask,
  ],
  pastGateway: [
    ...[contexts, proxies].flatMap(Object.keys),
    ...[waysOfContext, callWays].flatMap(Object.keys).map(ofContext),
    ...['request past the way out', 'connection of a task', 'datagram of a task'],
    'name server of its own',
  ],
  toOwnDoor: ['port of its own door, elsewhere'],
  silent: [...Object.keys(silentWays), ...Object.keys(silentWays).map(ofContext)],
};

export class Reaching {
  readonly driver: Driver;
  readonly #server: Server;
  readonly #outside: Outside;
  readonly #sessionId: string;

  static async begin(
    server: Server,
    outside: Outside,
    kind: 'headless' | 'headful' = 'headless',
  ): Promise<Reaching> {
    const body = { browser: { headless: { active: kind === 'headless' } } };
    const { id, cdp_url: address } = await openSession(server, { body });
    return new Reaching(server, outside, id, await Driver.connect(address));
  }

  private constructor(server: Server, outside: Outside, sessionId: string, driver: Driver) {
    this.#server = server;
    this.#outside = outside;
    this.#sessionId = sessionId;
    this.driver = driver;
  }

  /** All that a page can do by itself. */
  async byPages(): Promise<void> {
    const page = await this.pageAt(publicName);
    const trusted = await this.pageAt(trustedName);
    await Promise.all([
      ...Object.entries(ways).map(([name, way]) => this.#go(page, name, way)),
      ...Object.entries(trustedWays).map(([name, way]) => this.#go(trusted, name, way)),
      this.toHosts(toHost),
    ]);
  }

  /** To each host, at the port of the attempt that `nameOf` says. */
  async toHosts(nameOf: (host: string) => string): Promise<void> {
    const page = await this.pageAt(publicName);
    const urls = await Promise.all(
      hosts.map(async (host) => `http://${host}:${await this.#outside.canaryFor(nameOf(host))}/`),
    );
    const some = [ways['frame']!, ways['fetch']!, ways['WebSocket']!];
    await Promise.all(some.map((way) => this.driver.evaluate(going(way, urls), page)));
  }

  /** What a page can't do and DevTools can, without leaving the gateway. */
  async byDevTools(): Promise<void> {
    const { client } = this.driver;
    const page = await this.driver.newPage();
    await this.#navigate(page, await this.#urlsFor('navigation'));
    for (const url of await this.#urlsFor('new window')) {
      await client.call('Target.createTarget', { url });
    }
    const { frameTree } = await client.call('Page.getFrameTree', {}, page);
    const options = { disableCache: true, includeCredentials: false };
    for (const url of await this.#urlsFor('resource by DevTools')) {
      const params = { frameId: frameTree.frame.id, url, options };
      await client.ask('Network.loadNetworkResource', params, page);
    }
  }

  /** With what leaves the gateway. */
  async byContexts(): Promise<void> {
    for (const [name, asked] of Object.entries(contexts)) {
      await this.#navigate(await this.#pageOfContext(asked), await this.#urlsFor(name));
    }
    for (const [name, scheme] of Object.entries(proxies)) {
      const asked = { proxyServer: await this.#proxyFor(name, scheme) };
      await this.#navigate(await this.#pageOfContext(asked), [`http://${publicName}/`]);
    }
    const page = await this.#pageOfContext(contexts['context without a proxy for anybody']);
    const table = Object.entries(waysOfContext);
    await Promise.all(table.map(([name, way]) => this.#go(page, ofContext(name), way)));
    await this.#toOwnDoor(page);
  }

  /** What takes full Chromium, with a gateway and without. */
  async byFullBrowser(): Promise<void> {
    const page = await this.pageAt(trustedName);
    const direct = await this.#pageOfContext(contexts['context without a proxy for anybody']);
    const go = async (page: string, name: string, way: string) =>
      this.driver.evaluate(going(way, await this.#urlsFor(name), 6_000), page);
    const calls = { ...callWays, ...silentWays };
    await Promise.all([
      ...Object.entries({ ...eagerWays, ...calls }).map(([name, way]) => go(page, name, way)),
      ...Object.entries(calls).map(([name, way]) => go(direct, ofContext(name), way)),
    ]);
  }

  /** With a session that asks for a proxy where nobody may go. */
  async bySession(): Promise<void> {
    const server = await this.#proxyFor('proxy of a session', 'http');
    const proxy = { active: true, type: 'custom', server, username: '', password: '' };
    const { cdp_url: address } = await openSession(this.#server, { body: { session: { proxy } } });
    const driver = await Driver.connect(address);
    const url = `http://${publicName}/`;
    await driver.client.call('Page.navigate', { url }, await driver.newPage());
    await driver.client.close();
  }

  /** With a task, which goes to each host at the port of the attempt that `nameOf` says. */
  async byTask(leaked: string, nameOf = toHost): Promise<Reached> {
    const portOf = (attempt: string) => this.#outside.canaryFor(attempt);
    const portsOf = async (names: string[], attemptOf: (name: string) => string) =>
      Object.fromEntries(
        await Promise.all(
          names.map(async (name) => [name, await portOf(attemptOf(name))] as const),
        ),
      );
    const order: ReachingOrder = {
      site: await this.#outside.site(publicName),
      ports: await portsOf([...requestsOfTask, ...attempts.pastGateway], (name) => name),
      fewHosts,
      portsOfHosts: await portsOf(hosts, nameOf),
      leaked,
    };
    await deployTask(this.#server, 'reaching', taskCode);
    const inputs = { ANCHOR_ORDER: JSON.stringify(order) };
    return outputOf(this.#server, 'reaching', { inputs, sessionId: this.#sessionId });
  }

  /** A page of the public site, which is there. */
  async pageAt(name: string): Promise<string> {
    const page = await this.driver.newPage();
    await this.driver.navigate(page, await this.#outside.site(name));
    assert.equal(await this.driver.evaluate('document.body.innerText', page), siteAnswer);
    return page;
  }

  async #pageOfContext(asked: object): Promise<string> {
    const made = await this.driver.client.call('Target.createBrowserContext', asked);
    return this.driver.newPage(made.browserContextId);
  }

  async #urlsFor(attempt: string): Promise<string[]> {
    const port = await this.#outside.canaryFor(attempt);
    return fewHosts.map((host) => `http://${host}:${port}/`);
  }

  async #proxyFor(attempt: string, scheme: string): Promise<string> {
    return `${scheme}://${neighbour}:${await this.#outside.canaryFor(attempt)}`;
  }

  async #go(page: string, name: string, way: string): Promise<void> {
    await this.driver.evaluate(going(way, await this.#urlsFor(name)), page);
  }

  /** Waits for each until it is there or has failed, and doesn't ask which. */
  async #navigate(page: string, urls: string[]): Promise<void> {
    for (const url of urls) await this.driver.client.call('Page.navigate', { url }, page);
  }

  async #toOwnDoor(page: string): Promise<void> {
    const told = /--proxy-server=http:\/\/127\.0\.0\.1:(\d+)/;
    const ports = browsersOf(this.#server.pid).map(({ command }) => told.exec(command)?.[1]);
    assert.ok(ports.length > 0 && !ports.includes(undefined), 'browsers are told of their gateway');
    const [attempt = ''] = attempts.toOwnDoor;
    for (const port of new Set(ports)) {
      await this.#outside.canaryAt(attempt, Number(port), neighbour);
      await this.#navigate(page, [`http://${neighbour}:${port}/`]);
    }
  }
}
