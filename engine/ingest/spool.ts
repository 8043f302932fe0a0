import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CAMERA_ID } from '../model/camera.js'
import type { OutgoingPicture } from './outgoing.js'

/** `<captured at, ms>.jpg`. */
const NAME = /^(\d{1,15})\.jpg$/

/**
 * Pictures that the stream does not take now, on disk: a file each, in a folder for each camera. A picture leaves when
 * the stream has acknowledged it. When the spool is full it refuses new pictures; what it holds stays.
 *
 *     <folder>/gate-1/1764590400123.jpg
 */
export class Spool {
  readonly #folder: string
  readonly #maxBytes: number
  /** Times of the waiting pictures of each camera, in order, with their bytes. */
  readonly #waiting = new Map<string, { capturedAt: number; bytes: number }[]>()
  #bytes = 0

  /** Takes up what an earlier process left. @param maxBytes of all pictures together */
  constructor(folder: string, maxBytes: number) {
    this.#folder = folder
    this.#maxBytes = maxBytes
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    for (const camera of readdirSync(folder)) if (CAMERA_ID.test(camera)) this.#load(camera)
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Cameras of which pictures wait. */
  get cameras(): string[] {
    return [...this.#waiting.keys()]
  }

  /** How many pictures of a camera wait. */
  count(camera: string): number {
    return this.#waiting.get(camera)?.length ?? 0
  }

  /**
   * Adds a picture; it is in the file system when this returns.
   * @returns false when the spool is full
   * @throws what the file system throws: no room, no permission
   */
  add({ camera, capturedAt, jpeg }: OutgoingPicture): boolean {
    if (this.#bytes + jpeg.length > this.#maxBytes) return false
    const folder = join(this.#folder, camera)
    const file = join(folder, `${capturedAt}.jpg`)
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    try {
      writeFileSync(`${file}.new`, jpeg, { mode: 0o600 })
      renameSync(`${file}.new`, file)
    } catch (error) {
      rmSync(`${file}.new`, { force: true })
      throw error
    }
    const waiting = this.#waiting.get(camera) ?? []
    this.#waiting.set(camera, waiting)
    waiting.push({ capturedAt, bytes: jpeg.length })
    this.#bytes += jpeg.length
    return true
  }

  /** The oldest picture of a camera; undefined when none waits. It stays until `remove`. */
  oldest(camera: string): OutgoingPicture | undefined {
    for (;;) {
      const first = this.#waiting.get(camera)?.[0]
      if (!first) return undefined
      try {
        const { capturedAt } = first
        return { camera, capturedAt, jpeg: readFileSync(join(this.#folder, camera, `${capturedAt}.jpg`)) }
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
        // Somebody deleted the file.
        this.#forget(camera)
      }
    }
  }

  /** Removes the oldest picture of a camera: the stream has it. */
  remove({ camera, capturedAt }: OutgoingPicture): void {
    if (this.#waiting.get(camera)?.[0]?.capturedAt !== capturedAt) return
    rmSync(join(this.#folder, camera, `${capturedAt}.jpg`), { force: true })
    this.#forget(camera)
  }

  #forget(camera: string): void {
    const waiting = this.#waiting.get(camera)!
    this.#bytes -= waiting.shift()!.bytes
    if (waiting.length === 0) this.#waiting.delete(camera)
  }

  #load(camera: string): void {
    const folder = join(this.#folder, camera)
    const waiting = []
    for (const name of readdirSync(folder)) {
      const capturedAt = Number(NAME.exec(name)?.[1] ?? NaN)
      // What has another name is a picture that was being written when the process died.
      if (Number.isNaN(capturedAt)) rmSync(join(folder, name), { force: true })
      else waiting.push({ capturedAt, bytes: statSync(join(folder, name)).size })
    }
    waiting.sort((a, b) => a.capturedAt - b.capturedAt)
    if (waiting.length === 0) return
    this.#waiting.set(camera, waiting)
    this.#bytes += waiting.reduce((sum, { bytes }) => sum + bytes, 0)
  }
}
