// What the server tells of itself to anybody: its health, whether it is ready, metrics, its API.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startServer } from '../support/server.ts';
import { quiet } from '../support/settings.ts';
import { check, play } from './scenario.ts';
import { flag, number, type Shape, text } from './shape.ts';

const server = await startServer({ config: quiet() });
after(() => server.stop());

const isolation: Shape = {
  level: /^(none|standard|strict)$/,
  reasons: [text],
  limits: { memory: /^(cgroup|rlimit|none)$/, processes: /^(cgroup|rlimit|none)$/ },
};

test('GET /health', () =>
  check(server, [
    {
      call: 'GET /health',
      key: null,
      status: 200,
      shape: {
        status: 'ok',
        version: /^\d+\.\d+\.\d+/,
        chromium: /^\d+(\.\d+)*$/,
        isolation: { task: isolation, browser: isolation, browser_sandbox: flag },
        warm: { browsers: number, runners: number },
        sessions: 0,
        runs: 0,
      },
    },
  ]));

test('GET /ready', () =>
  check(server, [
    { call: 'GET /ready', key: null, status: 200, shape: { ready: true, reasons: [text] } },
  ]));

test('GET /metrics', async () => {
  await check(server, [{ call: 'GET /v1/task', key: null, status: 401 }]);
  const call = 'GET /metrics';
  const { headers, text: metrics } = await play(server, { call, key: null, status: 200 });
  assert.match(headers['content-type'] ?? '', /^text\/plain/);
  const lines = metrics.split('\n');
  assert.ok(lines.includes('capstan_sessions_open 0'));
  assert.ok(lines.includes('capstan_runs_running 0'));
  assert.ok(lines.includes('capstan_http_requests_total{status="401"} 1'));
});

test('GET /openapi.yaml', async () => {
  const call = 'GET /openapi.yaml';
  const { headers, text: body } = await play(server, { call, key: null, status: 200 });
  assert.match(headers['content-type'] ?? '', /yaml/);
  assert.match(body, /^openapi: 3\.1/m);
  assert.match(body, /^ {2}['"]?\/v1\/task\/run\/\{taskName\}['"]?:$/m);
});
