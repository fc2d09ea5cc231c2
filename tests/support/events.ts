// Server-sent events, as they come.
import { request } from 'node:http';
import type { Server } from './server.ts';

export type ServerEvent = { event: string; data: any };

/** Opens the stream and yields its events until the server ends it, or the reader stops reading. */
export async function* eventsOf(
  server: Server,
  path: string,
  signal?: AbortSignal,
): AsyncGenerator<ServerEvent> {
  const headers = { 'anchor-api-key': server.key, accept: 'text/event-stream' };
  const outgoing = request(server.url + path, { headers, signal }).end();
  const incoming = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve).once('error', reject);
  });
  const type = incoming.headers['content-type'];
  if (incoming.statusCode !== 200 || !type?.startsWith('text/event-stream')) {
    throw new Error(`GET ${path} answered ${incoming.statusCode} with ${type}`);
  }
  let unfinished = '';
  for await (const chunk of incoming.setEncoding('utf8')) {
    const blocks = (unfinished + chunk).split('\n\n');
    unfinished = blocks.pop() ?? '';
    for (const block of blocks) {
      const event = /^event: ?(.*)$/m.exec(block)?.[1];
      const data = [...block.matchAll(/^data: ?(.*)$/gm)].map(([, line]) => line).join('\n');
      if (event !== undefined) yield { event, data: JSON.parse(data) }; // else it is a comment
    }
  }
}
