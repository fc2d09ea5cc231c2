// The session's screen on a canvas: draws pictures in their order, fits the canvas into its stage,
// and tells which pixel of the screen lies under a point of the window.
import { element } from './elements.ts';
import type { Picture } from './picture.ts';

export type Point = { x: number; y: number };

const zoomMax = 4;

export class Screen {
  readonly canvas = element('screen', HTMLCanvasElement);
  readonly #stage = element('stage', HTMLElement);
  readonly #context: CanvasRenderingContext2D;
  #drawn: Promise<void> = Promise.resolve();
  #zoom = 1;
  #pan: Point = { x: 0, y: 0 };

  constructor() {
    const context = this.canvas.getContext('2d', { alpha: false });
    if (context === null) throw new Error('this browser has no canvas');
    this.#context = context;
    new ResizeObserver(() => this.#fit()).observe(this.#stage);
  }

  /** Resolves when it is on the canvas, behind all that came before. */
  draw(picture: Picture): Promise<void> {
    // Decoding need not wait for its turn, drawing does.
    const decoding = createImageBitmap(picture.jpeg).catch(() => undefined);
    this.#drawn = this.#drawn.then(async () => {
      const bitmap = await decoding;
      // One that is broken is passed over; without its acknowledgement no other would come.
      if (bitmap === undefined) return;
      this.#resize(picture.screenWidth, picture.screenHeight);
      this.#context.drawImage(bitmap, picture.x, picture.y);
      bitmap.close();
    });
    return this.#drawn;
  }

  /** The pixel of the screen under a point of the window, or the nearest one. */
  pixelAt(clientX: number, clientY: number): Point {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    const pixel = (offset: number, length: number, pixels: number): number =>
      Math.max(0, Math.min(pixels - 1, Math.floor((offset * pixels) / (length || 1))));
    return {
      x: pixel(clientX - left, width, this.canvas.width),
      y: pixel(clientY - top, height, this.canvas.height),
    };
  }

  get zoom(): number {
    return this.#zoom;
  }

  /** Magnifies for this viewer only, and moves what lay under `from` to `to`, where it can. */
  magnify(zoom: number, from: Point, to: Point): void {
    const before = this.#zoom;
    this.#zoom = Math.max(1, Math.min(zoomMax, zoom));
    const stage = this.#stage.getBoundingClientRect();
    const moved = (pan: number, start: number, length: number, a: number, b: number): number => {
      const middle = start + length / 2;
      const wanted = b - middle - ((a - middle - pan) * this.#zoom) / before;
      const most = (length * (this.#zoom - 1)) / 2;
      return Math.max(-most, Math.min(most, wanted));
    };
    this.#pan = {
      x: moved(this.#pan.x, stage.left, stage.width, from.x, to.x),
      y: moved(this.#pan.y, stage.top, stage.height, from.y, to.y),
    };
    const { x, y } = this.#pan;
    this.canvas.style.transform = `translate(${x}px, ${y}px) scale(${this.#zoom})`;
  }

  #resize(width: number, height: number): void {
    if (this.canvas.width === width && this.canvas.height === height) return;
    this.canvas.width = width;
    this.canvas.height = height;
    this.canvas.hidden = false;
    this.#fit();
  }

  /** As large as the stage allows, in whole pixels of the display, so that edges stay sharp. */
  #fit(): void {
    const { width, height } = this.canvas;
    const { clientWidth, clientHeight } = this.#stage;
    const scale = Math.min(clientWidth / width, clientHeight / height) * devicePixelRatio;
    const length = (pixels: number): string =>
      `${Math.max(1, Math.round(pixels * scale)) / devicePixelRatio}px`;
    this.canvas.style.width = length(width);
    this.canvas.style.height = length(height);
    this.canvas.classList.toggle('exact', Number.isInteger(scale));
  }
}
