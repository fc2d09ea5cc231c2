// Plain HTTP, with no manners of a client library: sends what it is told and returns what came.
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { text as textOf } from 'node:stream/consumers';

export type RequestOptions = {
  /** An object is sent as JSON with its content type; a text or bytes as they are. */
  body?: unknown;
  /** In place of the server's first key; null sends none. */
  key?: string | null;
  headers?: Record<string, string>;
  /** Aborting it hangs up. */
  signal?: AbortSignal;
};

export type Answer = {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** The text read as JSON; undefined when it is none. */
  body: any;
};

export function request(
  url: string,
  method: string,
  path: string,
  { body, key, headers = {}, signal }: RequestOptions = {},
): Promise<Answer> {
  const isRaw = body === undefined || typeof body === 'string' || body instanceof Uint8Array;
  const payload = isRaw ? body : JSON.stringify(body);
  const sent: Record<string, string> = {
    ...(isRaw ? {} : { 'content-type': 'application/json' }),
    ...(key ? { 'anchor-api-key': key } : {}),
    ...(payload === undefined ? {} : { 'content-length': `${Buffer.byteLength(payload)}` }),
    ...headers,
  };
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(url + path, { method, headers: sent, signal }, (incoming) => {
      textOf(incoming).then((text) => {
        const { statusCode: status = 0, headers } = incoming;
        resolve({ status, headers, text, body: jsonOf(text) });
      }, reject);
    });
    outgoing.on('error', reject);
    outgoing.end(payload);
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
