// Work that is done at most once per frame of the viewer's display, however often it is asked for.

export class OncePerFrame {
  readonly #work: () => void;
  #frame = 0;

  constructor(work: () => void) {
    this.#work = work;
  }

  request(): void {
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.now());
  }

  /** Does what was asked for and is not done yet. */
  now(): void {
    if (this.#frame === 0) return;
    this.cancel();
    this.#work();
  }

  cancel(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
  }
}
