// What has happened, in words, for those who cannot see the screen or looked away.
import { element, withText } from './elements.ts';

const linesMax = 100;

export function logLine(text: string): void {
  const lines = element('log-lines', HTMLOListElement);
  const time = new Date().toLocaleTimeString();
  lines.append(withText('li', `${time} ${text}`));
  if (lines.childElementCount > linesMax) lines.firstElementChild?.remove();
}
