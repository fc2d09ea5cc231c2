// Task code that would never end is ended by the server, whatever it is about.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startServer } from '../support/server.ts';
import { quiet } from '../support/settings.ts';
import { assertWell, deployTask, executionOf, runTask } from '../support/tasks.ts';

const config = quiet({ runs: { timeout: '2s', warm: 2 } });
const server = await startServer({ config });
after(() => server.stop());

const limit = { timeout: 60_000 };

for (const [name, about, code] of [
  ['never', 'a promise that never settles', 'export default () => new Promise(() => {});'],
  ['busy', 'a loop without end', 'export default () => { while (true); };'],
  ['loading', 'a loop without end while loading', 'while (true);\nexport default () => 1;'],
  ['waiting', 'a wait while loading', 'await new Promise(() => {});\nexport default () => 1;'],
  ['deaf', 'a process that ignores signals', `
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => {});
    export default () => new Promise(() => {});`],
  ['printing', 'printing without end', 'export default () => { while (true) console.log("on"); };'],
] as [string, string, string][]) {
  test(`${about} ends as timeout`, limit, async () => {
    const task = await deployTask(server, name, code);
    const result = await runTask(server, name);
    assert.equal(result.success, false);
    assert.match(result.error, /did not end within 2000 ms/);
    const execution = await executionOf(server, task, result.executionResultId);
    assert.equal(execution.status, 'timeout');
    assert.equal(execution.errorMessage, result.error);
    const { executionTime } = execution;
    assert.ok(executionTime !== null && executionTime >= 2000 && executionTime < 10_000);
    await assertWell(server);
  });
}
