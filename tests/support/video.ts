// Looking into a video: by ffprobe and ffmpeg what is in it, and by a browser that it plays.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chromium } from './packages.ts';

export type Video = {
  codec: string;
  width: number;
  height: number;
  seconds: number;
  /** Where each frame begins, in seconds. */
  frames: number[];
};

/** What ffprobe finds; throws for what is no video. */
export function probeVideo(file: string): Video {
  const entries = 'stream=codec_name,width,height:format=duration:packet=pts_time';
  const text = run('ffprobe', ['-v', 'error', '-of', 'json', '-show_entries', entries, file]);
  const { streams, format, packets } = JSON.parse(text.toString());
  assert.equal(streams.length, 1, 'one stream');
  return {
    codec: streams[0].codec_name,
    width: streams[0].width,
    height: streams[0].height,
    seconds: Number(format.duration),
    frames: packets.map((packet: { pts_time: string }) => Number(packet.pts_time)),
  };
}

/** What the video shows at a time: the colour of the pixel in its middle, as [red, green, blue]. */
export function colourAt(file: string, seconds: number): number[] {
  // To seek in front of the file would show the next key frame where the last frame is held.
  const trim = `select='lte(t,${seconds})',crop=2:2:iw/2:ih/2`; // colour is kept by squares of two pixels
  const all = run('ffmpeg', [
    ...['-v', 'error', '-i', file, '-vf', trim, '-fps_mode', 'passthrough'],
    ...['-pix_fmt', 'rgb24', '-f', 'rawvideo', 'pipe:1'],
  ]);
  assert.ok(all.length >= 12, `nothing is shown at ${seconds} s`);
  return [...all.subarray(all.length - 3)];
}

/** The colour of the pixel in the middle of every frame. */
export function coloursOf(file: string): number[][] {
  const all = run('ffmpeg', [
    ...['-v', 'error', '-i', file, '-vf', 'crop=2:2:iw/2:ih/2', '-fps_mode', 'passthrough'],
    ...['-pix_fmt', 'rgb24', '-f', 'rawvideo', 'pipe:1'],
  ]);
  return Array.from({ length: all.length / 12 }, (_, index) => [
    ...all.subarray(index * 12, index * 12 + 3),
  ]);
}

/** Whether two colours are the same but for what a video does to them. */
export function isNear(one: number[], other: number[], tolerance = 24): boolean {
  return one.every((value, index) => Math.abs(value - (other[index] ?? 0)) <= tolerance);
}

/** Plays it to its end in a real browser, quickly; resolves with how long that browser says it is. */
export async function playToTheEnd(file: string): Promise<number> {
  const executablePath = '/usr/lib/chromium/chromium-headless-shell';
  const browser = await chromium.launch({ executablePath, args: ['--disable-background-networking'] });
  try {
    const page = await browser.newPage();
    const source = `data:video/mp4;base64,${readFileSync(file).toString('base64')}`;
    return await page.evaluate(`new Promise((resolve, reject) => {
      const video = document.createElement('video');
      video.muted = true;
      video.src = ${JSON.stringify(source)};
      video.playbackRate = 8;
      video.onended = () => resolve(video.duration);
      video.onerror = () => reject(new Error(video.error.message));
      video.play().catch(reject);
    })`);
  } finally {
    await browser.close();
  }
}

function run(program: string, words: string[]): Buffer {
  return execFileSync(program, words, { maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'pipe'] });
}
