// The bar above the screen: who is there, and what can be done about it.
import { button, element } from './elements.ts';
import type { Role } from './messages.ts';

export type Standing = { role: Role; driving: boolean; viewers: number };

/** `drive` asks the server for control. */
export function prepareToolbar(drive: () => void): void {
  element('toolbar', HTMLElement).hidden =
    new URLSearchParams(location.search).get('toolbar') === '0';
  button('drive').addEventListener('click', drive);

  const collapse = button('collapse');
  collapse.addEventListener('click', () => {
    const expanded = document.body.classList.toggle('collapsed') === false;
    collapse.setAttribute('aria-expanded', String(expanded));
    collapse.textContent = expanded ? 'Hide toolbar' : 'Show toolbar';
  });

  const fullScreen = button('full-screen');
  fullScreen.hidden = !document.fullscreenEnabled;
  fullScreen.addEventListener('click', () => {
    const done = document.fullscreenElement
      ? document.exitFullscreen()
      : document.documentElement.requestFullscreen();
    done.catch(() => {}); // refused by the browser, and it says so
  });
  document.addEventListener('fullscreenchange', () => {
    fullScreen.setAttribute('aria-pressed', String(document.fullscreenElement !== null));
  });
}

export function showStanding({ role, driving, viewers }: Standing): void {
  const text =
    role === 'view' ? 'View only' : driving ? 'You are in control' : 'Somebody else is in control';
  element('role', HTMLElement).textContent = text;
  element('viewers', HTMLElement).textContent = viewers === 1 ? '1 viewer' : `${viewers} viewers`;
  const drive = button('drive');
  // A button that goes while it has the focus would leave it nowhere.
  if (driving && document.activeElement === drive) button('collapse').focus();
  drive.hidden = role !== 'control' || driving;
}

/** For a page whose session is over or cannot be reached. */
export function showNobody(): void {
  element('role', HTMLElement).textContent = '';
  element('viewers', HTMLElement).textContent = '';
  button('drive').hidden = true;
}
