// What the page and the server say to each other over the socket, as JSON. Pictures are binary, see
// picture.ts.

export type Role = 'control' | 'view';
export type SessionKind = 'headful' | 'headless';
export type Tab = { id: string; title: string; url: string; active: boolean };
export type DialogKind = 'alert' | 'confirm' | 'prompt' | 'beforeunload';

export type Hello = {
  type: 'hello';
  role: Role;
  kind: SessionKind;
  driving: boolean;
  viewers: number;
  session_id: string;
};
export type OpenedDialog = {
  type: 'dialog';
  kind: DialogKind;
  message: string;
  default_text: string;
};
export type FileChooser = { type: 'file_chooser'; id: string; multiple: boolean };
export type Navigation = { type: 'navigation'; url: string; title: string };
export type Ended = { type: 'ended'; reason: string; recording_url: string | null };

export type ServerMessage =
  | Hello
  | { type: 'viewers'; viewers: number; driving: boolean }
  | { type: 'tabs'; tabs: Tab[] }
  | OpenedDialog
  | { type: 'dialog_closed' }
  | FileChooser
  | { type: 'file_chooser_closed'; id: string }
  | { type: 'copied'; text: string }
  | Navigation
  | { type: 'error'; message: string }
  | Ended;

export type PointerMessage = {
  type: 'pointer';
  event: 'move' | 'down' | 'up';
  /** Pixels of the session's screen, as all places are. */
  x: number;
  y: number;
  button: number;
  buttons: number;
  clicks: number;
  modifiers: number;
};
export type WheelMessage = {
  type: 'wheel';
  x: number;
  y: number;
  dx: number;
  dy: number;
  modifiers: number;
};
export type KeyMessage = {
  type: 'key';
  event: 'down' | 'up';
  code: string;
  key: string;
  location: number;
  repeat: boolean;
  modifiers: number;
};

/** What only the one who drives may say. */
export type ControlMessage =
  | PointerMessage
  | WheelMessage
  | KeyMessage
  | { type: 'compose'; text: string; start: number; end: number }
  | { type: 'commit'; text: string }
  | { type: 'paste'; text: string }
  | { type: 'copy' }
  | { type: 'release' }
  | { type: 'tab'; id: string }
  | { type: 'dialog_answer'; accept: boolean; text: string }
  | { type: 'files'; chooser: string; ids: string[] };

export type ClientMessage = ControlMessage | { type: 'ack'; seq: number } | { type: 'drive' };
