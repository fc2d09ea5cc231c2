/**
 * The talk between the server and one worker: JSON objects, one a line, over the socket that the
 * worker finds at descriptor 3.
 */
import { Socket } from 'node:net';

/** What a default export that takes an argument gets, besides the cancel signal. */
export interface TaskContext {
  inputs: Record<string, string>;
  sessionId: string;
  executionId: string;
}

/** The server's order, sent once. */
export interface RunFrame {
  type: 'run';
  name: string;
  /** What `bundle.ts` made of the task: an ES module with an inline source map. */
  code: string;
  /** Laid over the worker's own environment before the module is loaded. */
  env: Record<string, string>;
  context: TaskContext;
  outputBytesMax: number;
}

/** The server's wish, after the order, that the task come to an end. */
export interface CancelFrame {
  type: 'cancel';
}

export interface ReadyFrame {
  type: 'ready';
}

/**
 * The task returned: `output` is JSON text, and absent where the task returned nothing. As a JSON
 * string in its turn it takes up to twice the room.
 */
export interface ResultFrame {
  type: 'result';
  output?: string;
}

/**
 * The task failed. `stack` names lines of its TypeScript, and is empty where what was thrown has
 * none. Together they have at most 64 KiB in UTF-8.
 */
export interface ErrorFrame {
  type: 'error';
  message: string;
  stack: string;
}

export type ServerFrame = RunFrame | CancelFrame;
export type OutcomeFrame = ResultFrame | ErrorFrame;

/** The worker's end of the talk: keeps the process alive, and ends it when the server hangs up. */
export class ServerLink {
  readonly #socket = new Socket({ fd: 3 });

  constructor(onFrame: (frame: ServerFrame) => void) {
    let unfinished = '';
    this.#socket.setEncoding('utf8');
    this.#socket.on('data', (text: string) => {
      const lines = (unfinished + text).split('\n');
      unfinished = lines.pop() ?? '';
      for (const line of lines) onFrame(JSON.parse(line));
    });
    this.#socket.on('error', () => process.exit(0));
    this.#socket.on('close', () => process.exit(0));
  }

  send(frame: ReadyFrame): void {
    this.#socket.write(JSON.stringify(frame) + '\n');
  }

  /** The last word: the process ends once the kernel has all of it. */
  sendAndExit(frame: OutcomeFrame): void {
    this.#socket.end(JSON.stringify(frame) + '\n', () => process.exit(0));
  }
}
