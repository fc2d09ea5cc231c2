// What stands around the screen: dialogs, files, tabs, the toolbar, messages.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { colourAt, focusScreen, limit, shows, showScreen, view } from './viewer.ts';

const confirm = { type: 'dialog', kind: 'confirm', message: 'Really?', default_text: '' };
const prompt = { type: 'dialog', kind: 'prompt', message: 'Your name?', default_text: 'Ada' };

test('a dialog of the page is shown, and answered by buttons', limit, async (t) => {
  const { server, page } = await view(t);
  server.send(confirm);
  const dialog = page.getByRole('dialog', { name: 'The page asks' });
  await dialog.getByText('Really?').waitFor();
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  const answer = await server.receivesType('dialog_answer');
  assert.deepEqual(answer, { type: 'dialog_answer', accept: false, text: '' });
  await dialog.waitFor({ state: 'hidden' });
});

test('a prompt takes text, and Enter sends it', limit, async (t) => {
  const { server, page } = await view(t);
  server.send(prompt);
  const field = page.getByRole('textbox', { name: 'Your name?' });
  await field.waitFor();
  assert.equal(await field.inputValue(), 'Ada');
  await page.keyboard.type('Grace'); // the text is selected, so this replaces it
  await page.keyboard.press('Enter');
  const answer = await server.receivesType('dialog_answer');
  assert.deepEqual(answer, { type: 'dialog_answer', accept: true, text: 'Grace' });
});

test('Escape says no, and the next dialog is another question', limit, async (t) => {
  const { server, page } = await view(t);
  server.send(confirm);
  await page.getByText('Really?', { exact: true }).waitFor();
  await page.keyboard.press('Escape');
  assert.equal((await server.receivesType('dialog_answer'))['accept'], false);
  server.received.length = 0;
  server.send(confirm);
  server.send({ type: 'dialog_closed' });
  server.send(prompt);
  await page.getByText('Your name?', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'OK' }).click();
  await showScreen(server, 2);
  const answers = server.received.filter(({ type }) => type === 'dialog_answer');
  assert.deepEqual(answers, [{ type: 'dialog_answer', accept: true, text: 'Ada' }]);
});

test('a dialog takes the keyboard and gives it back', limit, async (t) => {
  const viewer = await view(t);
  const { server, page } = viewer;
  await focusScreen(viewer);
  await page.keyboard.down('a');
  server.send({ ...confirm, kind: 'alert' });
  await page.getByText('Really?', { exact: true }).waitFor();
  await server.receivesType('release');
  assert.ok(await page.getByRole('button', { name: 'Cancel' }).isHidden());
  await page.getByRole('button', { name: 'OK' }).click();
  await server.receivesType('dialog_answer');
  assert.equal(await page.evaluate('document.activeElement.id'), 'typing');
});

test('who does not drive sees a dialog without answering it', limit, async (t) => {
  const { server, page } = await view(t, { hello: { driving: false } });
  server.send(confirm);
  await page.getByText('Whoever is in control can answer it.').waitFor();
  assert.ok(await page.getByRole('button', { name: 'OK' }).isHidden());
  server.send({ type: 'viewers', viewers: 2, driving: true });
  await page.getByRole('button', { name: 'OK' }).click();
  assert.equal((await server.receivesType('dialog_answer'))['accept'], true);
});

const chooser = { type: 'file_chooser', id: 'chooser-1', multiple: true };
const fileOf = (name: string, text: string) =>
  ({ name, mimeType: 'text/plain', buffer: Buffer.from(text) });

test('files that the page asks for are sent, and then named', limit, async (t) => {
  const { server, page } = await view(t);
  server.send(chooser);
  await page.getByRole('dialog', { name: 'The page asks for files' }).waitFor();
  const files = [fileOf('a b&c.txt', 'one'), fileOf('ä.txt', 'two')];
  await page.locator('#file-input').setInputFiles(files);
  const sent = await server.receivesType('files');
  const ids = ['file-a b&c.txt', 'file-ä.txt'];
  assert.deepEqual(sent, { type: 'files', chooser: 'chooser-1', ids });
  const uploads = server.uploads.map(({ query, type, bytes }) => [query, type, bytes.toString()]);
  const query = { ticket: 'ticket-1', chooser: 'chooser-1' };
  assert.deepEqual(uploads, [
    [{ ...query, first: 'true', name: 'a b&c.txt' }, 'application/octet-stream', 'one'],
    [{ ...query, name: 'ä.txt' }, 'application/octet-stream', 'two'],
  ]);
  await page.locator('#files').waitFor({ state: 'hidden' });
});

test('a file can be dropped on the panel', limit, async (t) => {
  const { server, page } = await view(t);
  server.send({ ...chooser, multiple: false });
  await page.getByRole('dialog', { name: 'The page asks for a file' }).waitFor();
  await page.evaluate(`(() => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File(['dropped'], 'd.txt'));
    document.querySelector('#drop-zone').dispatchEvent(
      new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
  })()`);
  assert.deepEqual((await server.receivesType('files'))['ids'], ['file-d.txt']);
  assert.equal(server.uploads[0]?.bytes.toString(), 'dropped');
});

test('a file that is dropped on the screen does not replace the page', limit, async (t) => {
  const { page } = await view(t);
  const kept = await page.evaluate(`document.querySelector('#screen').dispatchEvent(
    new DragEvent('drop', { bubbles: true, cancelable: true }))`);
  assert.equal(kept, false, 'the browser is kept from it');
});

test('a file that the server refuses is told in its words', limit, async (t) => {
  const { server, page } = await view(t);
  server.uploadRefusal = 'A file may have 100 MiB.';
  server.send(chooser);
  await page.locator('#file-input').setInputFiles([fileOf('big', 'x')]);
  await shows(page, 'files-error', 'A file may have 100 MiB.');
  server.uploadRefusal = undefined;
  await page.locator('#file-input').setInputFiles([fileOf('small', 'x')]);
  assert.deepEqual((await server.receivesType('files'))['ids'], ['file-small']);
});

test('a file chooser that is cancelled is answered with no files', limit, async (t) => {
  const { server, page } = await view(t);
  server.send(chooser);
  await page.locator('#files').getByRole('button', { name: 'Cancel' }).click();
  const sent = await server.receivesType('files');
  assert.deepEqual(sent, { type: 'files', chooser: 'chooser-1', ids: [] });
});

test('a file chooser that is answered elsewhere goes without an answer', limit, async (t) => {
  const { server, page } = await view(t);
  server.send(chooser);
  await page.locator('#files').waitFor();
  server.send({ type: 'file_chooser_closed', id: 'chooser-1' });
  await page.locator('#files').waitFor({ state: 'hidden' });
  await showScreen(server, 2);
  assert.ok(!server.received.some(({ type }) => type === 'files'));
});

test('tabs of a headless session are shown, and can be chosen', limit, async (t) => {
  const { server, page } = await view(t, { hello: { kind: 'headless' } });
  const tabs = [
    { id: 't1', title: 'First <b>', url: 'https://a.test/', active: true },
    { id: 't2', title: '', url: 'https://b.test/', active: false },
  ];
  server.send({ type: 'tabs', tabs });
  const strip = page.getByRole('navigation', { name: 'Tabs of the session' });
  await strip.getByRole('button', { name: 'First <b>' }).waitFor();
  const current = strip.locator('[aria-current=true]');
  assert.equal(await current.innerText(), 'First <b>');
  await strip.getByRole('button', { name: 'https://b.test/' }).click();
  assert.deepEqual(await server.receivesType('tab'), { type: 'tab', id: 't2' });
  const focused = page.locator('[data-tab=t2]:focus');
  server.send({ type: 'tabs', tabs: tabs.map((tab) => ({ ...tab, active: !tab.active })) });
  await strip.locator('[data-tab=t2][aria-current=true]').waitFor();
  assert.equal(await focused.count(), 1, 'the focus stays where it was');
});

test('who may drive but does not can ask for it', limit, async (t) => {
  const { server, page } = await view(t, { hello: { driving: false, viewers: 2 } });
  await shows(page, 'role', 'Somebody else is in control');
  await shows(page, 'viewers', '2 viewers');
  await page.mouse.click(400, 300);
  await page.getByRole('button', { name: 'Take control' }).click();
  await server.receivesType('drive');
  assert.deepEqual(server.input, [{ type: 'drive' }], 'the click on the screen was not told');
  server.send({ type: 'viewers', viewers: 2, driving: true });
  await shows(page, 'role', 'You are in control');
  assert.ok(await page.locator('#drive').isHidden());
});

test('errors are shown, read out, and kept in the log', limit, async (t) => {
  const { server, page } = await view(t);
  server.send({ type: 'error', message: 'That did not work.' });
  await shows(page, 'toasts', 'That did not work.');
  assert.equal(await page.getByRole('alert').first().innerText(), 'That did not work.');
  server.send({ type: 'navigation', url: 'https://a.test/x', title: 'A page' });
  await page.getByText('Log', { exact: true }).click();
  await shows(page, 'log-lines', 'That did not work.');
  await shows(page, 'log-lines', 'Page: A page https://a.test/x');
  assert.equal(await page.title(), 'A page – Live view');
  await page.getByRole('img', { name: 'Screen of the session: A page' }).waitFor();
});

test('the toolbar can be folded, and left out by whoever embeds the page', limit, async (t) => {
  const { page } = await view(t);
  await page.getByRole('button', { name: 'Hide toolbar' }).click();
  assert.ok(await page.locator('#status').isHidden());
  const show = page.getByRole('button', { name: 'Show toolbar' });
  assert.equal(await show.getAttribute('aria-expanded'), 'false');
  await show.click();
  assert.ok(await page.locator('#status').isVisible());

  const { page: clean } = await view(t, { query: '?toolbar=0' });
  assert.ok(await clean.locator('#toolbar').isHidden());
  const stage = await clean.locator('#stage').boundingBox();
  assert.deepEqual(stage, { x: 0, y: 0, width: 800, height: 600 });
});

test('the page can fill the display', limit, async (t) => {
  const { page } = await view(t);
  await page.getByRole('button', { name: 'Full screen' }).click();
  await page.locator('#full-screen[aria-pressed=true]').waitFor();
  assert.ok((await colourAt(page, 5, 5))[2]! > 100);
});
