// Short messages that go by themselves. Each is also read out, and stays in the log.
import { element, withText } from './elements.ts';
import { logLine } from './log.ts';

const toastsMax = 4;
const announcedMax = 4;
const shownMs = { info: 4_000, error: 12_000 };

/** Read out by screen readers, at once when it is an error. */
export function announce(text: string, kind: 'info' | 'error' = 'info'): void {
  const place = element(kind === 'info' ? 'announcer' : 'alarm', HTMLElement);
  // Added and not replaced: of two that come together, the first would not be heard.
  place.append(withText('p', text));
  if (place.childElementCount > announcedMax) place.firstElementChild?.remove();
  logLine(text);
}

export function toast(text: string, kind: 'info' | 'error' = 'info'): void {
  announce(text, kind);
  const toasts = element('toasts', HTMLElement);
  const made = withText('div', text);
  made.className = kind;
  toasts.append(made);
  if (toasts.childElementCount > toastsMax) toasts.firstElementChild?.remove();
  setTimeout(() => made.remove(), shownMs[kind]);
}
