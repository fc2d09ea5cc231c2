// The live view of one session: a picture of its screen, and the viewer's input to it. This file
// puts the parts together and hands each message of the server to the part that it is for.
import { Link } from './claim.ts';
import { CopiedText, listenToPaste } from './clipboard.ts';
import { Connection, type End } from './connection.ts';
import { Controls } from './controls.ts';
import { element, withText } from './elements.ts';
import { Files } from './files.ts';
import { Keyboard } from './keyboard.ts';
import { logLine } from './log.ts';
import type { Ended, Hello, Navigation, ServerMessage } from './messages.ts';
import { Mouse } from './mouse.ts';
import { PageDialog } from './page_dialog.ts';
import { addressForOthers, tellParent } from './parent.ts';
import { pictureOf } from './picture.ts';
import { listenToPointer } from './pointer.ts';
import { Screen } from './screen.ts';
import { ScreenFocus } from './screen_focus.ts';
import { showEnded, showState } from './state.ts';
import { Tabs } from './tabs.ts';
import { announce, toast } from './toasts.ts';
import { prepareToolbar, showNobody, showStanding, type Standing } from './toolbar.ts';
import { Touch } from './touch.ts';
import { listenToTyping } from './typing.ts';
import { Wheel } from './wheel.ts';

const link = new Link();
const connection = new Connection(link, { onMessage, onPicture, onLost });
const controls = new Controls(connection);
const screen = new Screen();
const focus = new ScreenFocus(controls);
const mouse = new Mouse(controls, screen);
const wheel = new Wheel(screen, controls);
const tabs = new Tabs(controls);
const dialog = new PageDialog(controls);
const files = new Files(link, controls);
const copied = new CopiedText();
let standing: Standing = { role: 'view', driving: false, viewers: 0 };

listenToPointer(screen, mouse, controls, (at) => focus.take(at));
new Touch(screen, mouse, wheel, controls, (at) => focus.takeByTouch(at));
new Keyboard(focus.typing, controls, () => focus.leave());
listenToTyping(focus.typing, controls);
listenToPaste(focus.typing, controls);
prepareToolbar(() => connection.send({ type: 'drive' }));
void run();

async function run(): Promise<void> {
  showState('connecting', 'Connecting…');
  const end = await connection.run();
  stopControl();
  showEnd(end);
}

function showEnd(end: End): void {
  if (end.kind === 'ended') return; // the server's last message has said so
  if (end.kind === 'ended_before') {
    onEnded({ type: 'ended', reason: end.reason, recording_url: end.recording });
  } else if (end.kind === 'dead') {
    showState('over', 'This link does not work any more', end.message);
  } else if (end.kind === 'unknown') {
    const why = 'A part of the address is missing, or the server was started anew.';
    showState('over', 'There is no such link', why);
  } else if (end.kind === 'locked_in') {
    const wanted = 'sandbox="allow-same-origin allow-scripts"';
    showState('over', 'This frame allows too little', `The live view needs ${wanted}.`);
  } else if (end.kind === 'replaced') {
    const why = 'You are watching this session in another window.';
    showState('over', 'Opened elsewhere', why, runAgain('Watch it here'));
  } else {
    const why = 'As many people watch this session as may.';
    showState('over', 'Too many viewers', why, runAgain('Try again'));
  }
}

function runAgain(label: string): HTMLButtonElement {
  const again = withText('button', label);
  again.type = 'button';
  again.addEventListener('click', run, { once: true });
  return again;
}

async function onPicture(message: ArrayBuffer, done: (seq: number) => void): Promise<void> {
  const picture = pictureOf(message);
  if (picture === undefined) return;
  await screen.draw(picture);
  done(picture.seq);
}

function onLost(why: string): void {
  stopControl();
  showState('lost', 'Connection lost. Reconnecting…', why);
}

function onMessage(message: ServerMessage): void {
  switch (message.type) {
    case 'hello':
      return onHello(message);
    case 'viewers':
      return stand({ ...standing, viewers: message.viewers, driving: message.driving });
    case 'tabs':
      return tabs.show(message.tabs);
    case 'dialog':
      return dialog.show(message);
    case 'dialog_closed':
      return dialog.close();
    case 'file_chooser':
      return files.show(message);
    case 'file_chooser_closed':
      return files.close(message.id);
    case 'copied':
      return void copied.offer(message.text);
    case 'navigation':
      return onNavigation(message);
    case 'error':
      return toast(message.message, 'error');
    case 'ended':
      return onEnded(message);
  }
}

/** The server says again after it what is open: tabs, a dialog, a file chooser. */
function onHello({ role, driving, viewers }: Hello): void {
  showState('live', 'Live');
  tellParent({ type: 'connected', role });
  stand({ role, driving, viewers });
}

function onNavigation({ url, title }: Navigation): void {
  document.title = title === '' ? 'Live view' : `${title} – Live view`;
  screen.canvas.setAttribute('aria-label', `Screen of the session: ${title || url}`);
  logLine(`Page: ${title} ${url}`);
  tellParent({ type: 'navigation', url: addressForOthers(url), title });
}

function onEnded(message: Ended): void {
  stopControl();
  showEnded(message.reason, message.recording_url);
  tellParent({ type: 'ended', reason: message.reason });
}

function stand(next: Standing): void {
  const before = standing;
  const driving = next.driving && next.role === 'control';
  standing = { ...next, driving };
  setDriving(driving);
  showStanding(standing);
  if (driving === before.driving) return;
  announce(driving ? 'You are in control' : 'You are not in control');
  tellParent({ type: 'control', driving });
}

function setDriving(driving: boolean): void {
  const changed = driving !== controls.driving;
  controls.driving = driving;
  focus.possible = driving;
  if (!changed) return;
  element('stage', HTMLElement).classList.toggle('driving', driving);
  tabs.refresh();
  dialog.refresh();
  if (!driving) files.close();
}

/** The socket has gone, and with it all that waits for an answer. */
function stopControl(): void {
  dialog.close();
  files.close();
  setDriving(false);
  showNobody();
}
