import { MOST_PICTURE_BYTES } from './access_unit.js'
import { CameraError } from './camera_error.js'

export interface Part {
  /** Names in lower case. */
  headers: Record<string, string>
  body: Buffer
}

const MOST_HEADER_BYTES = 65_536

/**
 * Cuts a stream of `multipart/x-mixed-replace` into its parts, as cameras really send it: with and without
 * `Content-Length`, with a wrong one, with or without the two dashes of the boundary, with line ends of either kind.
 *
 *     --boundary | header lines | blank line | body | --boundary | ...
 */
export class MultipartStream {
  readonly #delimiter: Buffer
  #rest: Buffer = Buffer.alloc(0)
  #headers: Record<string, string> | undefined
  /** Where the search for the end of the body goes on. */
  #searched = 0

  /** @param boundary as in the content type */
  constructor(boundary: string) {
    this.#delimiter = Buffer.from(`--${boundary.replace(/^"|"$/g, '').replace(/^--/, '')}`, 'latin1')
  }

  /** The boundary of a content type; undefined when it has none. */
  static boundaryOf(contentType: string): string | undefined {
    return /;\s*boundary\s*=\s*("[^"]+"|[^\s;]+)/i.exec(contentType)?.[1]
  }

  /** @returns the parts that are complete now @throws CameraError when a part is too long */
  push(piece: Buffer): Part[] {
    this.#rest = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece])
    const parts: Part[] = []
    for (let part: Part | true | undefined; (part = this.#headers ? this.#takeBody() : this.#takeHeaders()); )
      if (part !== true) parts.push(part)
    return parts
  }

  #takeHeaders(): true | undefined {
    const start = this.#rest.indexOf(this.#delimiter)
    if (start < 0) {
      if (this.#rest.length > MOST_PICTURE_BYTES) throw new CameraError('it sends no boundary between its pictures')
      return undefined
    }
    const begin = start + this.#delimiter.length
    const blank = /\r?\n\r?\n/.exec(this.#rest.toString('latin1', begin, begin + MOST_HEADER_BYTES))
    if (!blank) {
      if (this.#rest.length - begin > MOST_HEADER_BYTES) throw new CameraError('a header of its pictures has no end')
      return undefined
    }
    const headers: Record<string, string> = {}
    for (const line of this.#rest.toString('latin1', begin, begin + blank.index).split(/\r?\n/)) {
      const colon = line.indexOf(':')
      if (colon > 0) headers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim()
    }
    this.#headers = headers
    this.#rest = this.#rest.subarray(begin + blank.index + blank[0].length)
    this.#searched = 0
    return true
  }

  #takeBody(): Part | undefined {
    const headers = this.#headers!
    const stated = Number(headers['content-length'] ?? NaN)
    if (stated > MOST_PICTURE_BYTES) throw new CameraError(`it announces a picture of ${stated} bytes`)
    if (stated > 0) {
      if (this.#rest.length < stated + 4) return this.#rest.length >= stated ? this.#endOf(stated) : undefined
      // A length that does not lead to the next boundary is wrong; the boundary decides.
      const after = this.#rest.toString('latin1', stated, stated + 4)
      if (/^(\r?\n)?--|^\r?\n/.test(after)) return this.#endOf(stated)
    }
    const end = this.#rest.indexOf(this.#delimiter, this.#searched)
    if (end < 0) {
      if (this.#rest.length > MOST_PICTURE_BYTES) throw new CameraError('it sends a picture of more than 16 MiB')
      this.#searched = Math.max(0, this.#rest.length - this.#delimiter.length)
      return undefined
    }
    let last = end
    if (this.#rest[last - 1] === 0x0a) last--
    if (this.#rest[last - 1] === 0x0d) last--
    return this.#endOf(Math.max(0, last))
  }

  #endOf(length: number): Part {
    const part = { headers: this.#headers!, body: Buffer.from(this.#rest.subarray(0, length)) }
    this.#rest = this.#rest.subarray(length)
    this.#headers = undefined
    return part
  }
}
