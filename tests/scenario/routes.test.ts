// The surface as a whole: which methods each address takes, and what is AnchorBrowser's and not
// built yet. What each route does stands in routes_of_tasks, routes_of_sessions and the rest.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startServer } from '../support/server.ts';
import { quiet } from '../support/settings.ts';
import { check, pathOf, send, unknownId } from './scenario.ts';

const server = await startServer({ config: quiet() });
after(() => server.stop());

const built = [
  'GET /health',
  'GET /ready',
  'GET /metrics',
  'GET /openapi.yaml',
  'POST /v1/task',
  'GET /v1/task',
  'POST /v1/task/run',
  'POST /v1/task/run/{taskName}',
  'GET /v1/task/{taskId}',
  'PUT /v1/task/{taskId}',
  'DELETE /v1/task/{taskId}',
  'GET /v1/task/{taskId}/versions',
  'GET /v1/task/{taskId}/latest',
  'GET /v1/task/{taskId}/draft',
  'POST /v1/task/{taskId}/draft',
  'POST /v1/task/{taskId}/deploy',
  'GET /v1/task/{taskId}/executions',
  'GET /v1/task/{taskId}/executions/{executionId}',
  'POST /v1/task/{taskId}/executions/{executionId}/cancel',
  'GET /v1/task/{taskId}/executions/{executionId}/logs',
  'GET /v1/task/{taskId}/{taskVersion}',
  'POST /v1/task/{taskId}/{taskVersion}',
  'DELETE /v1/task/{taskId}/{taskVersion}',
  'POST /v1/sessions',
  'GET /v1/sessions/all/status',
  'DELETE /v1/sessions/all',
  'GET /v1/sessions/{sessionId}',
  'DELETE /v1/sessions/{sessionId}',
  'GET /v1/sessions/{sessionId}/pages',
  'GET /v1/sessions/{sessionId}/recordings',
  'GET /v1/sessions/{sessionId}/recordings/primary/fetch',
  'GET /v1/sessions/{sessionId}/recordings/{recordingId}/fetch',
  'GET /v1/sessions/{sessionId}/recordings/{recordingId}/timeline',
  'DELETE /v1/sessions/{sessionId}/recordings/{recordingId}',
  'POST /v1/sessions/{sessionId}/recordings/pause',
  'POST /v1/sessions/{sessionId}/recordings/resume',
  'POST /v1/sessions/{sessionId}/tokens',
  'DELETE /v1/sessions/{sessionId}/tokens/{token}',
  'GET /live/{token}',
  'POST /live/{token}/claim',
  'GET /live/{token}/socket',
  'GET /live-assets/{name}',
  'GET /',
  'GET /devtools/browser',
  'GET /devtools/browser/{browserId}',
  'GET /devtools/page/{targetId}',
  'GET /json/version',
  'GET /json/list',
  'POST /operator/keys',
  'GET /operator/keys',
  'DELETE /operator/keys/{keyId}',
];

const notYet = [
  'GET /v1/sessions',
  'GET /v1/sessions/history',
  'POST /v1/sessions/async',
  'GET /v1/sessions/async/{requestId}/status',
  'GET /v1/sessions/pending-interventions',
  'GET /v1/sessions/{sessionId}/screenshot',
  'POST /v1/sessions/{sessionId}/goto',
  'POST /v1/sessions/{sessionId}/mouse/{action}',
  'POST /v1/sessions/{sessionId}/drag-and-drop',
  'POST /v1/sessions/{sessionId}/scroll',
  'POST /v1/sessions/{sessionId}/keyboard/{action}',
  'GET /v1/sessions/{sessionId}/clipboard',
  'POST /v1/sessions/{sessionId}/clipboard',
  'POST /v1/sessions/{sessionId}/copy',
  'POST /v1/sessions/{sessionId}/paste',
  'POST /v1/sessions/{sessionId}/uploads',
  'GET /v1/sessions/{sessionId}/downloads',
  'GET /v1/sessions/{sessionId}/downloads/{downloadId}/fetch',
  'POST /v1/sessions/{sessionId}/agent/{action}',
  'GET /v1/sessions/{sessionId}/agent/{action}',
  'GET /v1/sessions/{sessionId}/tags',
  'PUT /v1/sessions/{sessionId}/tags',
  'DELETE /v1/sessions/{sessionId}/tags',
  'POST /v1/sessions/{sessionId}/context/reset',
  'POST /v1/profiles',
  'GET /v1/profiles',
  'GET /v1/profiles/{name}',
  'PUT /v1/profiles/{name}',
  'DELETE /v1/profiles/{name}',
  'POST /v1/tools/screenshot',
  'POST /v1/tools/fetch-webpage',
  'POST /v1/tools/fetch/webpage',
  'POST /v1/tools/page-pdf',
  'POST /v1/tools/perform-web-task',
  'GET /v1/tools/perform-web-task/{workflowId}/status',
  'POST /v1/tools/execute-code',
  'GET /v1/tools/{toolId}',
  'POST /v1/extensions',
  'GET /v1/extensions',
  'GET /v1/extensions/{id}',
  'DELETE /v1/extensions/{id}',
  'POST /v1/certificates',
  'GET /v1/certificates',
  'DELETE /v1/certificates/{name}',
  'POST /v1/integrations',
  'GET /v1/integrations',
  'DELETE /v1/integrations/{id}',
  'POST /v1/events/{name}',
  'POST /v1/events/{name}/wait',
  'POST /v1/batch-sessions',
  'GET /v1/batch-sessions',
  'GET /v1/batch-sessions/{id}',
  'PATCH /v1/batch-sessions/{id}',
  'DELETE /v1/batch-sessions/{id}',
  'POST /v1/batch-sessions/{id}/retry',
  'POST /v1/applications',
  'GET /v1/applications',
  'GET /v1/applications/{id}',
  'DELETE /v1/applications/{id}',
  'GET /v1/applications/{id}/identities',
  'GET /v1/applications/{id}/auth-flows',
  'POST /v1/applications/{id}/auth-flows',
  'PATCH /v1/applications/{id}/auth-flows/{flowId}',
  'DELETE /v1/applications/{id}/auth-flows/{flowId}',
  'POST /v1/applications/{id}/tokens',
  'POST /v1/identities',
  'GET /v1/identities/{id}',
  'PUT /v1/identities/{id}',
  'DELETE /v1/identities/{id}',
  'GET /v1/identities/{id}/credentials',
  'POST /v1/identities/{id}/reauthenticate',
  'GET /v1/billing',
  'POST /v1/webhooks',
  'GET /v1/webhooks',
  'POST /v2/tasks/{taskId}/run',
  'GET /v2/tasks/runs/{runId}/status',
  'POST /v2/tasks/generate',
  'GET /v2/tasks/{taskId}/generation-status',
  'GET /v2/tasks/{taskId}/versions',
  'POST /v2/tasks/{toolId}/publish-draft',
];

/** Something that a path's fields may hold; nothing that is there. */
const anywhere = new Proxy({}, { get: () => unknownId }) as Record<string, string>;
const place = (call: string): string => pathOf({ call, at: anywhere, status: 0 });
const methodOf = (call: string): string => call.slice(0, call.indexOf(' '));

test("what is AnchorBrowser's and not built yet says so", () =>
  check(
    server,
    notYet.map((call) => ({ call, at: anywhere, status: 501 })),
  ));

test('it says so to whatever is sent, since it reads nothing of it', () => {
  const multipart = { 'content-type': 'multipart/form-data; boundary=x' };
  const body = '--x\r\nContent-Disposition: form-data; name="file"\r\n\r\na\r\n--x--\r\n';
  const uploads = ['POST /v1/sessions/{sessionId}/uploads', 'POST /v1/extensions'].concat([
    'POST /v1/certificates',
    'POST /v1/sessions/{sessionId}/agent/{action}',
  ]);
  return check(server, [
    ...uploads.map((call) => ({ call, at: anywhere, headers: multipart, body, status: 501 })),
    { call: 'POST /v1/profiles', body: { name: 1 }, status: 501 },
    { call: 'GET /v1/sessions', query: 'page=-1', status: 501 },
  ]);
});

test('it says so to nobody without a key', () =>
  check(
    server,
    notYet.map((call) => ({ call, at: anywhere, key: null, status: 401 })),
  ));

test('what nobody has heard of is not found', () =>
  check(
    server,
    ['GET /v1', 'GET /v1/', 'POST /v1/tasks', 'GET /v3/tasks', 'GET /admin', 'GET /favicon.ico']
      .concat([
        'GET /v1/task/a/b/c/d/e',
        'GET /v1/sessions/a/b',
        'POST /health/a',
        'GET /.git/config',
      ])
      .concat(['GET /json', 'GET /devtools', 'GET /devtools/page', 'GET /v2/tasks'])
      .map((call) => ({ call, status: 404 })),
  ));

test('an address tells which methods it takes', async () => {
  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
  const calls = [...built, ...notYet];
  for (const path of new Set(calls.map(place))) {
    // Addresses overlap: /v1/task/run is also a /v1/task/{taskId}.
    const taken = new Set(calls.filter((call) => leadsTo(call, path)).map(methodOf));
    if (taken.has('GET')) taken.add('HEAD');
    for (const method of methods.filter((each) => !taken.has(each))) {
      const call = `${method} ${path}`;
      const answer = await send(server, { call, status: 405 });
      assert.equal(answer.status, 405, `${call} answers ${answer.text}`);
      const allowed = (answer.headers['allow'] ?? '').split(', ');
      assert.deepEqual(allowed.toSorted(), [...taken].toSorted(), `what ${call} allows`);
      if (method !== 'HEAD') assert.equal(answer.body?.error?.code, 405);
    }
  }
});

function leadsTo(call: string, path: string): boolean {
  const pattern = call.slice(call.indexOf(' ') + 1).replaceAll(/\{\w+\}/g, '[^/]+');
  return new RegExp(`^${pattern}$`).test(path);
}

test('HEAD answers as GET does, without a body', async () => {
  for (const path of ['/health', '/v1/task', '/v1/sessions/all/status']) {
    const got = await server.request('GET', path);
    const head = await server.request('HEAD', path);
    assert.equal(head.status, 200);
    assert.equal(head.text, '');
    assert.equal(head.headers['content-length'], got.headers['content-length']);
    assert.equal(head.headers['content-type'], got.headers['content-type']);
  }
  assert.equal((await server.request('HEAD', '/v1/task', { key: null })).status, 401);
});
