import { readFileSync } from 'node:fs'

/** Small pictures of one car, from the rendered sample feed. */
export const PLATE = '7YUB522'

/** @param name of a file in test/fixtures/pictures */
export const plateFile = (name: string): Buffer => readFileSync(`test/fixtures/pictures/${name}`)

/** A baseline JPEG of the car, 1280x720: the fixture without its padding. */
export function platePicture(): Buffer {
  const padded = plateFile('padded-before-eoi.jpg')
  return Buffer.concat([padded.subarray(0, padded.length - 610), Buffer.from([0xff, 0xd9])])
}

/** Position of the segment with this marker, at its 0xFF. */
export const segmentAt = (jpeg: Buffer, code: number): number => jpeg.indexOf(Buffer.from([0xff, code]))

/** A JPEG with bytes put in before position `at`. */
export const withBytes = (jpeg: Buffer, at: number, bytes: Uint8Array | string): Buffer =>
  Buffer.concat([jpeg.subarray(0, at), Buffer.from(bytes as Uint8Array), jpeg.subarray(at)])
