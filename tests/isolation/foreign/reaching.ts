// A task that tries to reach the network around the server, through its way out and past it. It
// need not know what came of it: whatever it reaches has heard of it.
import { createSocket } from 'node:dgram';
import { lookup, resolve4, Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';

export type ReachingOrder = {
  site: string;
  /** The ports for attempts that go to all of `fewHosts`, and for those to one host each. */
  ports: Record<string, number>;
  fewHosts: string[];
  portsOfHosts: Record<string, number>;
  leaked: string;
};
/** What the public site says through the way out, or why it doesn't. */
export type Reached = { site: string; siteAround: string };

const order: ReachingOrder = JSON.parse(process.env['ANCHOR_ORDER'] ?? '{}');
const gateway = process.env['HTTP_PROXY'];
const patienceMs = 2_000;

/** A host as a socket takes it. */
const bare = (host: string) => host.replace(/^\[(.*)\]$/, '$1');

async function answerOf(url: string, options: http.RequestOptions = {}): Promise<string> {
  const signal = AbortSignal.timeout(patienceMs);
  const [response] = await once(http.get(url, { ...options, signal }), 'response');
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  return text;
}

/** Sends a request's first lines to the way out, and waits for what it says. */
async function ask(line: string, host: string): Promise<void> {
  if (gateway === undefined) throw new Error('there is no way out');
  const { port, hostname } = new URL(gateway);
  const socket = net.connect(Number(port), hostname);
  socket.setTimeout(patienceMs, () => socket.destroy(new Error('no answer')));
  socket.write(`${line} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  await once(socket, 'data');
  socket.destroy();
}

async function connect(host: string, port: number): Promise<void> {
  const socket = net.connect({ host: bare(host), port });
  socket.setTimeout(patienceMs, () => socket.destroy(new Error('no answer')));
  await once(socket, 'connect');
  socket.destroy();
}

async function sendDatagram(host: string, port: number): Promise<void> {
  const socket = createSocket(host.startsWith('[') ? 'udp6' : 'udp4');
  const sent = new Promise((done) => {
    socket.once('error', done);
    socket.send('?', port, bare(host), done);
  });
  await sent.finally(() => socket.close());
}

async function askNameServer(host: string, port: number): Promise<void> {
  const resolver = new Resolver({ timeout: 500, tries: 1 });
  resolver.setServers([`${host}:${port}`]);
  await resolver.resolve4('a.test');
}

const attempts: Record<string, (host: string, port: number) => Promise<unknown>> = {
  'fetch of a task': (host, port) =>
    fetch(`http://${host}:${port}/`, { signal: AbortSignal.timeout(patienceMs) }),
  'request of a task': (host, port) => answerOf(`http://${host}:${port}/`),
  'request past the way out': (host, port) =>
    answerOf(`http://${host}:${port}/`, { agent: new http.Agent() }),
  'connection of a task': connect,
  'datagram of a task': sendDatagram,
  'name server of its own': askNameServer,
};

/** Each host, as it stands, in both of the ways that a proxy can be asked. */
function askForHosts(): Promise<void>[] {
  return Object.entries(order.portsOfHosts).flatMap(([host, port]) => [
    ask(`CONNECT ${host}:${port}`, `${host}:${port}`),
    ask(`GET http://${host}:${port}/`, `${host}:${port}`),
  ]);
}

export default async (): Promise<Reached> => {
  const tried = Object.entries(attempts).flatMap(([name, attempt]) =>
    order.fewHosts.map((host) => attempt(host, order.ports[name] ?? 0)),
  );
  const looked = [lookup(`lookup.${order.leaked}`), resolve4(`resolve.${order.leaked}`)];
  await Promise.allSettled([...askForHosts(), ...tried, ...looked]);
  const toText = (error: Error) => error.message;
  return {
    site: await answerOf(order.site).catch(toText),
    siteAround: await answerOf(order.site, { agent: new http.Agent() }).catch(toText),
  };
};
