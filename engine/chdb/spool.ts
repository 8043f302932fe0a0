import { createWriteStream, existsSync, mkdirSync, rmSync } from 'node:fs'
import { writeFile, unlink } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Transform, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { noSpace, tooLarge } from './exception.js'

/** Data of one insert, in a file of its own until the engine has read it. */
export interface Spooled {
  path: string
  bytes: number
  release(): void
}

/**
 * Files in RAM (`/dev/shm`, else the temporary folder) that pass insert data to the engine byte for byte, because its C
 * interface takes text only. The total size is bounded, because RAM is.
 */
export class Spool {
  readonly folder: string
  #used = 0
  #sequence = 0

  /** @param key distinguishes the stores of one machine; a new store empties the folder that a killed one left */
  constructor(
    key: string,
    readonly maxFileBytes: number,
    readonly maxTotalBytes: number,
  ) {
    const root = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
    this.folder = join(root, `platestream-${createHash('sha256').update(key).digest('hex').slice(0, 16)}`)
    rmSync(this.folder, { recursive: true, force: true })
    mkdirSync(this.folder, { recursive: true, mode: 0o700 })
  }

  /**
   * Writes a stream to a file.
   * @throws TOO_MANY_BYTES (413) for a file that is too large, NOT_ENOUGH_SPACE (503) at the bound of all files
   */
  async spoolStream(source: Readable, ...decoders: Transform[]): Promise<Spooled> {
    const path = join(this.folder, `${++this.#sequence}.data`)
    let bytes = 0
    const count = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        if (bytes + chunk.length > this.maxFileBytes) return done(tooLarge('The body', this.maxFileBytes))
        if (this.#used + chunk.length > this.maxTotalBytes) return done(noSpace('waiting inserts'))
        bytes += chunk.length
        this.#used += chunk.length
        done(null, chunk)
      },
    })
    const release = this.#releaser(path, () => bytes)
    try {
      await pipeline([source, ...decoders, count, createWriteStream(path, { mode: 0o600, flags: 'wx' })])
    } catch (error) {
      release()
      throw (error as NodeJS.ErrnoException).code === 'ENOSPC' ? noSpace('waiting inserts') : error
    }
    return { path, bytes, release }
  }

  /** Writes data that is already in memory. @throws NOT_ENOUGH_SPACE (503) */
  async spoolBuffer(data: Buffer): Promise<Spooled> {
    const path = join(this.folder, `${++this.#sequence}.data`)
    if (this.#used + data.length > this.maxTotalBytes) throw noSpace('waiting inserts')
    this.#used += data.length
    const release = this.#releaser(path, () => data.length)
    try {
      await writeFile(path, data, { mode: 0o600, flag: 'wx' })
    } catch (error) {
      release()
      throw (error as NodeJS.ErrnoException).code === 'ENOSPC' ? noSpace('waiting inserts') : error
    }
    return { path, bytes: data.length, release }
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }

  #releaser(path: string, bytes: () => number): () => void {
    let done = false
    return () => {
      if (done) return
      done = true
      this.#used -= bytes()
      void unlink(path).catch(() => {})
    }
  }
}
