// What every route must stand, made from its description: callers who may not, things that aren't
// there, bodies of the wrong kind, and a wrong value for each of its fields.
import assert from 'node:assert/strict';
import type { Answer } from '../support/requests.ts';
import type { Server } from '../support/server.ts';
import { check, pathOf, type Scenario, send } from './scenario.ts';
import { mustTell } from './wire_rows.ts';
import { exchange, requestText } from '../support/wire.ts';

export type Route = {
  /** The operation, as it stands in the route table. */
  call: string;
  /** Where the good thing is that its path leads to. */
  at?: Record<string, string>;
  query?: string;
  /** A body that is good as it stands; with one, the route takes a body. */
  body?: Record<string, unknown>;
  /** The fields of the body, by their dotted paths. */
  fields?: Record<string, FieldKind>;
  /** The fields of the query. */
  queryFields?: Record<string, QueryKind>;
};

const wrongValues = {
  'null': null,
  'true': true,
  '""': '',
  '"xx..."': 'x'.repeat(70_000),
  '[]': [],
  '{}': {},
  '-1': -1,
  '0.5': 0.5,
  '2^31': 2 ** 31,
  '2^63': 2 ** 63,
  '"no"': 'no',
};

/** Which of those values are good ones for a field of some kind. */
const goodValues = {
  name: ['"no"'],
  text: ['""', '"no"'],
  code: [],
  word: [], // one of a few words, a URL, a UUID
  flag: ['true'],
  list: ['[]'],
  object: ['{}'],
  minutes: ['-1'],
  pixels: [],
  proxy: [], // an object that needs a field
} satisfies Record<string, (keyof typeof wrongValues)[]>;

export type FieldKind = keyof typeof goodValues;

const wrongTexts = ['', 'x'.repeat(5_000), '-1', '0', '0.5', '1e3', '0x1', '%2B1', '%201', '01']
  .concat(['2147483648', '9223372036854775808', '99999999999999999999', 'no', 'true', '[]', '{}'])
  .concat(['null', "'", '%C3%A4', '1;2', '1,2']);

const goodTexts = {
  page: ['2147483648'],
  limit: [],
  word: [],
  version: ['2147483648'],
  date: [],
  flag: ['true'],
} satisfies Record<string, string[]>;

export type QueryKind = keyof typeof goodTexts;

/** The body with that value at a dotted path; what the path leads through is made. */
function withValue(body: object, path: string, value: unknown): Record<string, unknown> {
  const copy = structuredClone(body) as Record<string, unknown>;
  const names = path.split('.');
  const last = names.pop()!;
  let inner = copy;
  for (const name of names) inner = (inner[name] ??= {}) as Record<string, unknown>;
  inner[last] = value;
  return copy;
}

/** For each field each value that is wrong for it: 400, and a message that names the field. */
export function wrongFields(route: Route): Scenario[] {
  const { call, at = {}, query, body = {}, fields = {}, queryFields = {} } = route;
  const base = { call, at, ...(query === undefined ? {} : { query }) };
  const rows: Scenario[] = [];
  for (const [path, kind] of Object.entries(fields)) {
    const good: string[] = goodValues[kind];
    for (const [shown, value] of Object.entries(wrongValues)) {
      if (good.includes(shown)) continue;
      const about = `${path} is ${shown}`;
      rows.push({ ...base, about, body: withValue(body, path, value), status: 400, says: path });
    }
  }
  for (const [name, kind] of Object.entries(queryFields)) {
    const good: string[] = goodTexts[kind];
    for (const value of wrongTexts.filter((each) => !good.includes(each))) {
      const whole = [query, `${name}=${value}`].filter((part) => part !== undefined).join('&');
      rows.push({ ...base, about: `${name} is ${value}`, query: whole, status: 400, says: name });
    }
  }
  return rows;
}

/** Calls without a key and with keys that are none. */
export function strangers(route: Route, revokedKey: string): Scenario[] {
  const keys = { 'no key': null, 'a wrong key': 'capstan_0000', 'a revoked key': revokedKey };
  return Object.entries(keys).map(([about, key]) => ({ ...rowOf(route), about, key, status: 401 }));
}

const rowOf = ({ call, at = {}, query, body }: Route): Omit<Scenario, 'status'> => ({
  call,
  at,
  ...(query === undefined ? {} : { query }),
  ...(body === undefined ? {} : { body }),
});

/** Fields of paths that name things which somebody owns. */
const owned = ['taskId', 'taskName', 'executionId', 'sessionId', 'recordingId'];

/** Ids that are none, where one belongs. */
export function strangeIds(route: Route): Scenario[] {
  const ids = ['no', '0', '-1', 'null', '..%2f', '%F0%9F%98%80', 'x'.repeat(5_000)];
  const fields = Object.keys(route.at ?? {}).filter((name) => /Id$/.test(name));
  return fields
    .filter((field) => owned.includes(field))
    .flatMap((field) =>
      ids.map((id) => ({
        ...rowOf(route),
        at: { ...route.at, [field]: id },
        about: `${field} is ${id}`,
        status: 404,
      })),
    );
}

/** The body sent as what it is not. */
export function wrongKinds(route: Route): Scenario[] {
  if (route.body === undefined) return [];
  const body = JSON.stringify(route.body);
  const types = [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
  ].concat(['application/json; charset=utf-16', 'application/octet-stream']);
  const other = types.map((type) => ({
    ...rowOf(route),
    about: type,
    headers: { 'content-type': type },
    body,
    status: 415,
  }));
  const notJson = ['{', 'null', '[]', '"a"'].map((text) => ({
    ...rowOf(route),
    body: text,
    status: 400,
  }));
  return [...other, ...notJson];
}

/** A body that is too large is refused by its announced length, before any of it has come. */
export async function mustRefuseHugeBody(server: Server, route: Route): Promise<void> {
  const method = route.call.slice(0, route.call.indexOf(' '));
  const line = `${method} ${pathOf({ ...rowOf(route), status: 413 })} HTTP/1.1`;
  const headers = [`anchor-api-key: ${server.key}`, 'Content-Type: application/json'];
  for (const length of [8 * 1024 * 1024 + 1, 2 ** 40]) {
    const bytes = requestText(line, [...headers, `Content-Length: ${length}`]);
    mustTell(await exchange(server.url, bytes), [413]);
  }
}

/**
 * To another team, what is there is answered exactly as what never was: the same status, headers
 * and text, but for the id that was asked for.
 */
export async function mustHideFrom(
  server: Server,
  route: Route,
  foreignKey: string,
): Promise<void> {
  const { at = {} } = route;
  const field = Object.keys(at).find((name) => owned.includes(name));
  if (field === undefined) return;
  const real = at[field]!;
  const unknown = field.endsWith('Id') ? '0'.repeat(8) + real.slice(8) : 'x'.repeat(real.length);
  const ask = (id: string, key: string): Promise<Answer> =>
    send(server, { ...rowOf(route), at: { ...at, [field]: id }, key, status: 404 });
  const hidden = visible(await ask(real, foreignKey), real);
  const absent = visible(await ask(unknown, server.key), unknown);
  assert.equal(absent.status, 404, `${route.call}: an unknown ${field} is ${absent.text}`);
  assert.deepEqual(hidden, absent, `${route.call}: another team's ${field} is as an unknown one`);
}

type Visible = { status: number; headers: object; text: string };

function visible({ status, headers, text }: Answer, id: string): Visible {
  const { date, 'x-request-id': requestId, ...others } = headers;
  return { status, headers: others, text: text.replaceAll(id, 'ID') };
}

/** All of the above for one route; whatever the route has. */
export async function mustStandAll(
  server: Server,
  route: Route,
  keys: { foreign: string; revoked: string },
): Promise<void> {
  await check(server, [
    ...strangers(route, keys.revoked),
    ...strangeIds(route),
    ...wrongKinds(route),
    ...wrongFields(route),
  ]);
  await mustHideFrom(server, route, keys.foreign);
  if (route.body !== undefined) await mustRefuseHugeBody(server, route);
}

/** The fields of a SessionConfig, with the path that leads to it. */
export function sessionConfigFields(path: string): Record<string, FieldKind> {
  const fields: Record<string, FieldKind> = {
    'initial_url': 'word',
    'tags': 'list',
    'recording': 'object',
    'recording.active': 'flag',
    'proxy': 'proxy',
    'timeout': 'object',
    'timeout.max_duration': 'minutes',
    'timeout.idle_timeout': 'minutes',
    'live_view': 'object',
    'live_view.read_only': 'flag',
    'live_view.one_time_url': 'flag',
  };
  const placed = Object.entries(fields).map(([name, kind]) => [`${path}.${name}`, kind]);
  return { [path]: 'object', ...Object.fromEntries(placed) };
}

/** The fields of a BrowserConfig that are looked at. */
export function browserConfigFields(path: string): Record<string, FieldKind> {
  return {
    [path]: 'object',
    [`${path}.headless`]: 'object',
    [`${path}.headless.active`]: 'flag',
    [`${path}.viewport`]: 'object',
    [`${path}.viewport.width`]: 'pixels',
    [`${path}.viewport.height`]: 'pixels',
  };
}
