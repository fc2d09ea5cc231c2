// Every route has a line in the coverage page, a description in the OpenAPI file and a scenario.
import { test } from 'node:test';
import { checkoutOf, filesOf, here, mustBeClean, mustFind, textOf } from './checkout.ts';
import type { Finding } from './checkout.ts';
import { linesOf } from './source.ts';

const table = 'src/api/routes.cpp';
const coverage = 'docs/api-coverage.md';
const description = 'api/openapi.yaml';

type Route = { method: string; path: string; line: number };

/** The rows `{Method::post, "/v1/task/run/{name}", ...}` of the route table. */
function routesOf(root: string): Route[] {
  const text = linesOf(textOf(root, table))
    .map((line) => line.text)
    .join('\n');
  return [...text.matchAll(/\{\s*Method::(\w+)\s*,\s*"([^"]*)"/g)].map((match) => ({
    method: match[1] === 'del' ? 'DELETE' : match[1]!.toUpperCase(),
    path: match[2]!,
    line: text.slice(0, match.index).split('\n').length,
  }));
}

/** The operations under `paths:` of the OpenAPI file, which is written in YAML's block style. */
function operationsOf(root: string): Route[] {
  const operations: Route[] = [];
  let path = '';
  for (const [index, line] of textOf(root, description).split('\n').entries()) {
    const key = /^( {2}| {4})(['"]?)([^\s'"#]+)\2:/.exec(line);
    if (key === null) {
      if (/^\S/.test(line)) path = '';
    } else if (key[1]!.length === 2) {
      path = key[3]!.startsWith('/') ? key[3]! : '';
    } else if (path !== '' && /^(get|post|put|delete|patch)$/.test(key[3]!)) {
      operations.push({ method: key[3]!.toUpperCase(), path, line: index + 1 });
    }
  }
  return operations;
}

const methods = /\b(?:GET|POST|PUT|DELETE|PATCH|HEAD|OPTIONS)\b/g;
const paths = /\/[\w./{}~:-]*[\w/}]|\//g;

/** "POST /v1/task/{}": what stays the same when a path parameter is called by another name. */
function shapeOf(method: string, path: string): string {
  return `${method} ${path.replace(/\{[^}]*\}/g, '{}')}`;
}

export function thereAreRoutes(root: string): Finding[] {
  if (routesOf(root).length > 0) return [];
  const instead = 'write rows {Method::post, "/v1/...", ...} so that they can be checked';
  return [{ file: table, line: 1, rule: 'no route is to be seen', instead }];
}

export function routesAreInTheCoveragePage(root: string): Finding[] {
  const shapes = new Set<string>();
  for (const line of textOf(root, coverage).split('\n')) {
    for (const method of line.match(methods) ?? []) {
      for (const path of line.match(paths) ?? []) shapes.add(shapeOf(method, path));
    }
  }
  return routesOf(root)
    .filter(({ method, path }) => !shapes.has(shapeOf(method, path)))
    .map(({ method, path, line }) => ({
      file: table,
      line,
      rule: `${method} ${path} is not in ${coverage}`,
      instead: 'give it a line there that says whether it works',
    }));
}

export function routesAreDescribed(root: string): Finding[] {
  const described = new Set(operationsOf(root).map(({ method, path }) => shapeOf(method, path)));
  return routesOf(root)
    .filter(({ path }) => path.startsWith('/v1/'))
    .filter(({ method, path }) => !described.has(shapeOf(method, path)))
    .map(({ method, path, line }) => ({
      file: table,
      line,
      rule: `${method} ${path} is not in ${description}`,
      instead: 'describe it there',
    }));
}

export function descriptionsHaveRoutes(root: string): Finding[] {
  const routes = new Set(routesOf(root).map(({ method, path }) => shapeOf(method, path)));
  return operationsOf(root)
    .filter(({ path }) => path.startsWith('/v1/'))
    .filter(({ method, path }) => !routes.has(shapeOf(method, path)))
    .map(({ method, path, line }) => ({
      file: description,
      line,
      rule: `${method} ${path} is no route`,
      instead: `drop it, or add its row to ${table}`,
    }));
}

export function routesHaveScenarios(root: string): Finding[] {
  const operation = new RegExp(`${methods.source} (?:${paths.source})`, 'g');
  const named = new Set<string>();
  for (const file of filesOf(root, /^tests\/scenario\/.*\.test\.ts$/)) {
    for (const { text } of linesOf(textOf(root, file))) {
      for (const match of text.matchAll(operation)) named.add(match[0]);
    }
  }
  return routesOf(root)
    .filter(({ method, path }) => !named.has(`${method} ${path}`))
    .map(({ method, path, line }) => ({
      file: table,
      line,
      rule: `${method} ${path} has no scenario`,
      instead: `add one to tests/scenario that is named '${method} ${path}'`,
    }));
}

const rules = [
  thereAreRoutes,
  routesAreInTheCoveragePage,
  routesAreDescribed,
  descriptionsHaveRoutes,
  routesHaveScenarios,
];
for (const rule of rules) {
  test(`this checkout: ${rule.name}`, () => mustBeClean(rule(here)));
}

const good = {
  [table]: [
    'return {',
    '    {Method::post, "/v1/task/run/{name}", Access::api_key, on(runs, &Runs::by_name)},',
    '    {  Method::del ,',
    '       "/v1/sessions/{id}", Access::api_key},',
    '    // {Method::get, "/v1/old", Access::api_key},',
    '    {Method::get, "/health", Access::open},',
    '};',
  ].join('\n'),
  [coverage]: [
    '| operation | state |',
    '|---|---|',
    '| POST /v1/task/run/{taskName} | works |',
    '| `DELETE` | `/v1/sessions/{sessionId}` | works |',
    'Also there: `GET /health`.',
  ].join('\n'),
  [description]: [
    'openapi: 3.1.0',
    'paths:',
    '  /v1/task/run/{name}:',
    '    post:',
    '      summary: Runs a task',
    '  "/v1/sessions/{id}":',
    '    parameters: []',
    '    delete:',
    'components:',
    '  schemas:',
    '    get:',
  ].join('\n'),
  'tests/scenario/routes.test.ts': [
    "scenario('POST /v1/task/run/{name}', {});",
    'scenario("DELETE /v1/sessions/{id}", {});',
    '// GET /v1/old was here',
    "scenario('GET /health', {});",
  ].join('\n'),
};

test('routes that are covered, described and tried are clean', (t) => {
  const root = checkoutOf(t, good);
  for (const rule of rules) mustBeClean(rule(root));
});

test('a route table that cannot be read does not pass', (t) => {
  mustFind(thereAreRoutes(checkoutOf(t, { [table]: 'return {};' })), [
    `${table}:1: no route is to be seen`,
  ]);
  mustFind(thereAreRoutes(checkoutOf(t, {})), [`${table}:1: no route is to be seen`]);
});

test('a route that the coverage page leaves out is found, also beside a longer path', (t) => {
  const page = good[coverage]!.replace('{sessionId}', '{sessionId}/pages');
  mustFind(routesAreInTheCoveragePage(checkoutOf(t, { ...good, [coverage]: page })), [
    `${table}:3: DELETE /v1/sessions/{id} is not in docs/api-coverage.md`,
  ]);
  const method = good[coverage]!.replace('POST', 'GET');
  mustFind(routesAreInTheCoveragePage(checkoutOf(t, { ...good, [coverage]: method })), [
    `${table}:2: POST /v1/task/run/{name} is not in docs/api-coverage.md`,
  ]);
});

test('a route that the OpenAPI document leaves out is found', (t) => {
  const text = good[description]!.replace('    delete:', '    get:');
  const root = checkoutOf(t, { ...good, [description]: text });
  const path = '/v1/sessions/{id}';
  mustFind(routesAreDescribed(root), [`${table}:3: DELETE ${path} is not in ${description}`]);
  mustFind(descriptionsHaveRoutes(root), [`${description}:8: GET ${path} is no route`]);
});

test('a route without a scenario is found', (t) => {
  const file = 'tests/scenario/routes.test.ts';
  const text = good[file]!.replace('POST /v1/task/run/{name}', 'POST /v1/task/run/{name}/more');
  mustFind(routesHaveScenarios(checkoutOf(t, { ...good, [file]: text })), [
    `${table}:2: POST /v1/task/run/{name} has no scenario`,
  ]);
  const comment = good[file]!.replace("scenario('GET", "// scenario('GET");
  mustFind(routesHaveScenarios(checkoutOf(t, { ...good, [file]: comment })), [
    `${table}:6: GET /health has no scenario`,
  ]);
});
