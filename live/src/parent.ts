// What the page tells the page that frames it. That may be any page, so it is never told a ticket,
// a token, or what an address carries behind its path.

type Told =
  | { type: 'connected'; role: string }
  | { type: 'control'; driving: boolean }
  | { type: 'navigation'; url: string; title: string }
  | { type: 'ended'; reason: string };

export function tellParent(message: Told): void {
  if (window.parent === window) return;
  window.parent.postMessage({ source: 'capstan-live', ...message }, '*');
}

/** The address without name, password, query and fragment. */
export function addressForOthers(text: string): string {
  if (!URL.canParse(text)) return '';
  const address = new URL(text);
  if (!/^https?:$/.test(address.protocol)) return address.protocol;
  return address.origin + address.pathname;
}
