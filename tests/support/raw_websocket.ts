// A WebSocket client that sends frames as it is told, also such as no client may send.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { within } from './eventually.ts';
import { requestText } from './wire.ts';

export type Frame = { opcode: number; payload: Buffer };

export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

const key = 'dGhlIHNhbXBsZSBub25jZQ==';
export const handshake = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
].concat([`Sec-WebSocket-Key: ${key}`]);

/** What a server answers to a key. */
export function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

type FrameParts = {
  final?: boolean;
  /** The three bits between the final one and the opcode. */
  reserved?: number;
  opcode: number;
  payload?: string | Uint8Array;
  masked?: boolean;
  /** The length as it stands in the header, whatever the payload is. */
  length?: Uint8Array;
};

/** One frame. Its mask is zero, so that its payload can be read as it goes by. */
export function frame(parts: FrameParts): Buffer {
  const { final = true, reserved = 0, opcode, masked = true } = parts;
  const payload = Buffer.from(parts.payload ?? '');
  const length = parts.length ?? lengthOf(payload.length);
  const first = (final ? 0x80 : 0) | (reserved << 4) | opcode;
  const header = Buffer.from([first, ...length]);
  header[1]! |= masked ? 0x80 : 0;
  return Buffer.concat([header, Buffer.alloc(masked ? 4 : 0), payload]);
}

function lengthOf(bytes: number): Uint8Array {
  if (bytes < 126) return Uint8Array.of(bytes);
  const long = Buffer.alloc(bytes < 65_536 ? 3 : 9);
  long[0] = bytes < 65_536 ? 126 : 127;
  if (bytes < 65_536) long.writeUInt16BE(bytes, 1);
  else long.writeBigUInt64BE(BigInt(bytes), 1);
  return long;
}

/** A goodbye of this code; none gives an empty payload. */
export function goodbye(code?: number, reason: string | Uint8Array = ''): Buffer {
  const bytes = code === undefined ? [] : [code >> 8, code & 0xff];
  const payload = Buffer.concat([Buffer.from(bytes), Buffer.from(reason)]);
  return frame({ opcode: opcodes.close, payload });
}

export class RawWebSocket {
  readonly #socket: Socket;
  /** What came and was not taken yet, and how many bytes that are. */
  readonly #received: Buffer[] = [];
  #bytes = 0;
  #ended = false;
  #wake: () => void = () => {};

  private constructor(url: string) {
    this.#socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) });
    this.#socket.on('data', (chunk: Buffer) => {
      this.#received.push(chunk);
      this.#bytes += chunk.length;
      this.#wake();
    });
    const end = (): void => {
      this.#ended = true;
      this.#wake();
    };
    this.#socket.on('error', end);
    this.#socket.on('close', end);
  }

  /** Connects to the path and fails unless the server agrees to talk. */
  static async open(url: string, path: string): Promise<RawWebSocket> {
    const websocket = new RawWebSocket(url);
    websocket.send(Buffer.from(requestText(`GET ${path} HTTP/1.1`, handshake)));
    const head = await websocket.#take(() => {
      const end = websocket.#begin(Infinity).indexOf('\r\n\r\n');
      return end < 0 ? 0 : end + 4;
    });
    assert.match(`${head}`, /^HTTP\/1\.1 101 /);
    assert.match(`${head}`, /^sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r$/im);
    return websocket;
  }

  send(...pieces: Uint8Array[]): void {
    for (const piece of pieces) this.#socket.write(piece);
  }

  sendText(text: string): void {
    this.send(frame({ opcode: opcodes.text, payload: text }));
  }

  /** The next frame; undefined when the server has hung up. */
  async next(): Promise<Frame | undefined> {
    const bytes = await this.#take(() => this.#frameLength());
    if (bytes === undefined) return undefined;
    const extra = bytes[1] === 127 ? 8 : bytes[1] === 126 ? 2 : 0;
    return { opcode: bytes[0]! & 0x0f, payload: bytes.subarray(2 + extra) };
  }

  /** The code that the server says goodbye with; what it says before is passed over. */
  async goodbyeCode(): Promise<number> {
    for (let next = await this.next(); next !== undefined; next = await this.next()) {
      if (next.opcode !== opcodes.close) continue;
      return next.payload.length < 2 ? 1005 : next.payload.readUInt16BE(0);
    }
    return 1006;
  }

  /** Takes nothing more from the server, until it is resumed. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  hangUp(): void {
    this.#socket.destroy();
  }

  #frameLength(): number {
    const header = this.#begin(10);
    const short = header[1];
    if (short === undefined) return 0;
    const extra = short === 127 ? 8 : short === 126 ? 2 : 0;
    if (header.length < 2 + extra) return 0;
    if (extra === 2) return 4 + header.readUInt16BE(2);
    return 2 + extra + (extra === 8 ? Number(header.readBigUInt64BE(2)) : short);
  }

  /** The first bytes of what came, in one piece: at least so many, if they are there. */
  #begin(bytes: number): Buffer {
    const [first = Buffer.alloc(0)] = this.#received;
    if (first.length >= bytes || this.#received.length < 2) return first;
    let count = 0;
    for (let length = 0; length < bytes && count < this.#received.length; count += 1) {
      length += this.#received[count]!.length;
    }
    const piece = Buffer.concat(this.#received.splice(0, count));
    this.#received.unshift(piece);
    return piece;
  }

  /** So many bytes as `count` says, once it says a number and they are there. */
  async #take(count: () => number): Promise<Buffer | undefined> {
    for (;;) {
      const bytes = count();
      if (bytes > 0 && this.#bytes >= bytes) {
        const piece = this.#begin(bytes);
        this.#received[0] = piece.subarray(bytes);
        this.#bytes -= bytes;
        return piece.subarray(0, bytes);
      }
      if (this.#ended) return undefined;
      const more = new Promise<void>((resolve) => (this.#wake = resolve));
      await within('the server says something', 20_000, more);
    }
  }
}
