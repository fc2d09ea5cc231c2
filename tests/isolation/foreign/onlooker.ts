// A task of one team that looks for a task of another team's, which runs at the same time. It is
// told where that one is. What gets through returns something true.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import type { Outcomes } from '../outcomes.ts';
import type { Bystander } from './bystander.ts';

/** `process` is the bystander's child, by the number that the machine gives it. */
export type OnlookerOrder = Bystander & { process: number; session: string; task: string };

const order: OnlookerOrder = JSON.parse(process.env['ANCHOR_ORDER'] ?? '{}');
const door = process.env['ANCHORBROWSER_BASE_URL'] ?? '';
const proc = `/proc/${order.process}`;
const patienceMs = 1_000;

type Attempt = () => unknown;

async function hears(place: net.NetConnectOpts): Promise<boolean> {
  const socket = net.connect(place);
  socket.setTimeout(patienceMs, () => socket.destroy(new Error('no answer')));
  const [heard] = await once(socket, 'data');
  socket.destroy();
  return heard.includes(order.word);
}

function perl(code: string): string {
  const { status, stdout, stderr } = spawnSync('perl', ['-e', code], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr.split(' at -e')[0]);
  return stdout;
}

/** In another pid namespace its number is nobody's, or somebody else's. */
function isThere(): boolean {
  return fs.readFileSync(`${proc}/cmdline`, 'utf8').includes(order.word);
}

/** With a first message that goes out together with the connection. */
function hearsAtOnce(port: number): boolean {
  return perl(`use Socket; socket(my $s, AF_INET, SOCK_STREAM, 0) or die "$!";
    send($s, "?", 0x20000000, sockaddr_in(${port}, inet_aton("127.0.0.1"))) or die "$!";
    sysread($s, my $heard, 100); print $heard`).includes(order.word);
}

const attempts: Record<string, Attempt> = {
  'see its processes': () =>
    fs.readdirSync('/proc').some((name) => {
      try {
        return fs.readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(order.word);
      } catch {
        return false;
      }
    }),
  'read its environment': () =>
    fs.readFileSync(`${proc}/environ`, 'utf8').includes(order.word),
  'open its memory': () => isThere() && fs.closeSync(fs.openSync(`${proc}/mem`, 'r+')) === undefined,
  'look through its root': () =>
    isThere() && fs.readFileSync(`${proc}/root${order.home}/file`, 'utf8') === order.word,
  'signal it': () => isThere() && process.kill(order.process, 0),
  'trace it': () =>
    isThere() && perl(`syscall(101, 0x4206, ${order.process}, 0, 0) != -1 or die "$!"; print 1`),
  'list its home': () => fs.readdirSync(order.home).includes('file'),
  'read its file': () => fs.readFileSync(`${order.home}/file`, 'utf8') === order.word,
  'change its file': () => {
    fs.accessSync(`${order.home}/file`); // an own home of that name has none
    return fs.appendFileSync(`${order.home}/file`, 'changed') === undefined;
  },
  'plant a file in its home': () =>
    fs.writeFileSync(`${order.home}/planted`, '') === undefined &&
    fs.existsSync(`${order.home}/file`),
  'call at its door': async () =>
    (await (await fetch(`${order.door}/v1/task`)).text()).includes(order.task),
  'call at its door at once': () =>
    perl(`use Socket; socket(my $s, AF_INET, SOCK_STREAM, 0) or die "$!";
      my $ask = "GET /v1/task HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\nConnection: close\\r\\n\\r\\n";
      my $to = sockaddr_in(${new URL(order.door).port}, inet_aton("127.0.0.1"));
      send($s, $ask, 0x20000000, $to) or die "$!";
      while (sysread($s, my $heard, 9000)) { print $heard }`).includes(order.task),
  'find its task at the own door': async () =>
    (await (await fetch(`${door}/v1/task`)).text()).includes(order.task),
  'find its session at the own door': async () =>
    (await fetch(`${door}/v1/sessions/${order.session}`)).status === 200,
  'take over its door': async () => {
    const server = net.createServer().listen(Number(new URL(order.door).port), '127.0.0.1');
    await once(server, 'listening');
    server.close();
    return order.door !== door;
  },
  'connect to it': () => hears({ port: order.port || order.unboundPort, host: '127.0.0.1' }),
  'connect to it at once': () => hearsAtOnce(order.port || order.unboundPort),
  'connect to its abstract socket': () => hears({ path: `\0${order.abstractSocket}` }),
  'read its shared memory': () =>
    perl(`shmread(${order.sharedMemory}, my $b, 0, 64) or die "$!"; print $b`).includes(order.word),
};

export default async (): Promise<Outcomes> => {
  const findings: Outcomes = { through: [], held: {} };
  for (const [name, attempt] of Object.entries(attempts)) {
    try {
      if (await attempt()) findings.through.push(name);
      else findings.held[name] = 'to no effect';
    } catch (error) {
      findings.held[name] = (error as Error).message;
    }
  }
  return findings;
};
