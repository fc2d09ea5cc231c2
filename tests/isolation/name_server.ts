// The names of the test's own network, and who asks for them. It answers for itself alone, so a
// name may mean one thing now and another one later; nobody is to remember it.
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { openFilesOf } from '../support/processes.ts';

/**
 * The addresses of a name, of either kind; a function is told how often it was asked before.
 * "*.a.test" stands for all names below a.test.
 */
export type Zone = Record<string, string[] | ((asked: number) => string[])>;

const types = { 1: 'A', 28: 'AAAA' } as Record<number, string>;

export class NameServer {
  /** The processes that may ask. */
  readonly servers = new Set<number>();

  readonly #zone: Zone;
  #foreign: string[] = [];
  readonly #asked = new Map<string, number>();
  readonly #socket: Socket = createSocket('udp4');

  static async open(zone: Zone): Promise<NameServer> {
    const nameServer = new NameServer(zone);
    nameServer.#socket.bind(53, '127.0.0.1');
    await once(nameServer.#socket, 'listening');
    return nameServer;
  }

  private constructor(zone: Zone) {
    this.#zone = zone;
    this.#socket.on('message', (query, from) => {
      this.#socket.send(this.#answerTo(query, from), from.port, from.address);
    });
  }

  /** How often somebody has asked for the name's IPv4 addresses. */
  timesAsked(name: string): number {
    return this.#asked.get(name) ?? 0;
  }

  /** The names that others than servers have asked for since the last time. */
  takeForeign(): string[] {
    const taken = this.#foreign;
    this.#foreign = [];
    return taken;
  }

  close(): void {
    this.#socket.close();
  }

  #answerTo(query: Buffer, from: RemoteInfo): Buffer {
    const { name, end } = nameIn(query);
    const type = types[query.readUInt16BE(end)] ?? '';
    if (!this.#isOfServer(from)) this.#foreign.push(name);
    const asked = this.timesAsked(name);
    if (type === 'A') this.#asked.set(name, asked + 1);
    const entry = this.#zone[name] ?? this.#zone[name.replace(/^[^.]+/, '*')];
    const addresses = (typeof entry === 'function' ? entry(asked) : entry) ?? [];
    const wanted = addresses.filter((address) => address.includes(':') === (type === 'AAAA'));
    const head = Buffer.alloc(12);
    query.copy(head, 0, 0, 2);
    head.writeUInt16BE(entry === undefined ? 0x8583 : 0x8580, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(type === '' ? 0 : wanted.length, 6);
    const question = query.subarray(12, end + 4);
    return Buffer.concat([head, question, ...(type === '' ? [] : wanted.map(recordOf))]);
  }

  /** The asker's socket is still open, as it waits for us. */
  #isOfServer({ port }: RemoteInfo): boolean {
    const place = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
    const lines = readFileSync('/proc/net/udp', 'utf8').split('\n');
    const rows = lines.map((line) => line.trim().split(/\s+/));
    const askers = rows.filter((row) => row[1]?.endsWith(place));
    const sockets = askers.map((row) => `socket:[${row[9]}]`);
    const open = [...this.servers].flatMap(openFilesOf);
    return sockets.some((socket) => open.includes(socket));
  }
}

function nameIn(query: Buffer): { name: string; end: number } {
  const labels = [];
  let end = 12;
  for (let length = query[end]!; length > 0; length = query[end]!) {
    labels.push(query.toString('latin1', end + 1, end + 1 + length).toLowerCase());
    end += 1 + length;
  }
  return { name: labels.join('.'), end: end + 1 };
}

/** Of the name in the question, for no time at all. */
function recordOf(address: string): Buffer {
  const bytes = address.includes(':') ? bytesOf6(address) : address.split('.').map(Number);
  const head = [0xc0, 12, 0, address.includes(':') ? 28 : 1, 0, 1, 0, 0, 0, 0, 0, bytes.length];
  return Buffer.from([...head, ...bytes]);
}

function bytesOf6(address: string): number[] {
  const halves = address.split('::');
  const [front = [], back = []] = halves.map((half) => half.split(':').filter(Boolean));
  const between = Array<string>(8 - front.length - back.length).fill('0');
  const words = [...front, ...between, ...back].map((word) => parseInt(word, 16));
  return words.flatMap((word) => [word >> 8, word & 0xff]);
}
