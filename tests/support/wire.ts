// A raw connection: sends exactly these bytes and keeps everything that comes back.
import { connect, type Socket } from 'node:net';
import { within } from './eventually.ts';

export type RawAnswer = { status: number; headers: Record<string, string>; body: string };

export type WireOptions = {
  /** Says that nothing more will come, once all is sent (half-close). */
  end?: boolean;
  /** Goes on sending after the first bytes, for as long as it likes. */
  then?: (socket: Socket) => Promise<void>;
  limitMs?: number;
};

/** Sends `bytes` and reads until the server hangs up; fails if it doesn't. */
export async function exchange(
  url: string,
  bytes: string | Uint8Array,
  { end = false, then, limitMs = 20_000 }: WireOptions = {},
): Promise<RawAnswer[]> {
  const socket = connect({
    host: '127.0.0.1',
    port: Number(new URL(url).port),
    allowHalfOpen: true,
  });
  let received = '';
  const ended = new Promise<void>((resolve) => {
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => (received += chunk));
    socket.on('end', resolve);
    // A server that has refused hangs up, maybe amid what we send; what it said is what counts.
    socket.on('error', () => resolve());
    socket.on('close', () => resolve());
  });
  try {
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
    if (end) socket.end();
    await within('the server hangs up', limitMs, Promise.all([ended, then?.(socket)]));
  } catch (error) {
    throw new Error(`${(error as Error).message}; it has sent ${JSON.stringify(received)}`);
  } finally {
    socket.destroy();
  }
  return answersIn(received);
}

/** Cuts what came into answers; what is no answer at all becomes one with the status 0. */
export function answersIn(received: string): RawAnswer[] {
  const answers: RawAnswer[] = [];
  for (let rest = received; rest !== '';) {
    const match = /^HTTP\/1\.1 (\d{3}) [^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n/.exec(rest);
    if (match === null) return [...answers, { status: 0, headers: {}, body: rest }];
    const lines = match[2]!.split('\r\n').filter((line) => line !== '');
    const headers = Object.fromEntries(
      lines.map((line) => [
        line.slice(0, line.indexOf(':')).toLowerCase(),
        line.slice(line.indexOf(':') + 1).trim(),
      ]),
    );
    const bodyEnd = match[0].length + Number(headers['content-length'] ?? 0);
    answers.push({
      status: Number(match[1]),
      headers,
      body: rest.slice(match[0].length, bodyEnd),
    });
    rest = rest.slice(bodyEnd);
  }
  return answers;
}

/** A request's bytes; it ends the connection unless its headers say something else. */
export function requestText(line: string, headers: string[] = [], body = ''): string {
  return `${[line, 'Host: localhost', ...headers].join('\r\n')}\r\n\r\n${body}`;
}
