// One picture of the session's screen, or of a part of it: a header of 24 bytes, little-endian, and
// a JPEG.

export type Picture = {
  seq: number;
  /** Where the JPEG belongs on the screen. */
  x: number;
  y: number;
  screenWidth: number;
  screenHeight: number;
  jpeg: Blob;
};

const headerBytes = 24;
const kindPicture = 1;

/** Undefined for a message of another kind, which a later server may send. */
export function pictureOf(message: ArrayBuffer): Picture | undefined {
  if (message.byteLength < headerBytes) return undefined;
  const header = new DataView(message);
  if (header.getUint8(0) !== kindPicture) return undefined;
  return {
    seq: header.getUint32(4, true),
    x: header.getUint16(8, true),
    y: header.getUint16(10, true),
    screenWidth: header.getUint16(16, true),
    screenHeight: header.getUint16(18, true),
    jpeg: new Blob([new Uint8Array(message, headerBytes)], { type: 'image/jpeg' }),
  };
}
