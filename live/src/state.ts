// The state of the page: one of these at a time, in the status line, on the stage and read out.
import { element, withText } from './elements.ts';
import { announce } from './toasts.ts';

export type State = 'connecting' | 'live' | 'lost' | 'over';

/** What can be done about it, below the text. */
export type Action = HTMLAnchorElement | HTMLButtonElement;

/** The notice covers the stage when the state is "over", and is a line on it otherwise. */
export function showState(state: State, heading: string, text = '', action?: Action): void {
  const line = element('state', HTMLElement);
  line.textContent = heading;
  line.dataset['state'] = state;
  const notice = element('notice', HTMLElement);
  notice.hidden = state === 'live';
  notice.classList.toggle('over', state === 'over');
  element('notice-heading', HTMLElement).textContent = heading;
  element('notice-text', HTMLElement).textContent = text;
  element('notice-action', HTMLElement).replaceChildren(...(action ? [action] : []));
  announce([heading, text].filter((part) => part !== '').join('. '));
}

const reasons = new Map([
  ['completed', 'It was completed.'],
  ['idle_timeout', 'Nobody had used it for a while.'],
  ['max_duration', 'It had lasted as long as it may.'],
  ['crashed', 'Its browser crashed.'],
  ['stopped', 'It was stopped.'],
]);

export function showEnded(reason: string, recording: string | null): void {
  showState('over', 'This session has ended', reasons.get(reason), recordingLink(recording));
}

/** A plain link: a sandbox may forbid new windows and the way out of the frame. */
function recordingLink(recording: string | null): HTMLAnchorElement | undefined {
  if (recording === null || !URL.canParse(recording, location.href)) return undefined;
  const address = new URL(recording, location.href);
  if (!/^https?:$/.test(address.protocol)) return undefined;
  const link = withText('a', 'Open the recording');
  link.href = address.href;
  link.rel = 'noreferrer';
  return link;
}
