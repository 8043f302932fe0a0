import { StringDecoder } from 'node:string_decoder'

/** One record, and the number of the line that it begins on, from 1. */
export interface CsvRecord {
  line: number
  fields: string[]
}

/** Characters of the longest record: a longer one has lost a quote. */
const MAX_RECORD = 65_536

/**
 * Reads RFC 4180 CSV piece by piece: quoted fields with doubled quotes and line breaks; LF, CRLF or CR; a byte order
 * mark. Lenient in one point: a quote inside an unquoted field is a character of it. Memory does not grow with the
 * file.
 */
export class CsvReader {
  readonly #delimiter: string
  readonly #delimiterCode: number
  readonly #decoder = new StringDecoder('utf8')
  #field = ''
  #fields: string[] = []
  #line = 1
  #recordLine = 1
  #length = 0
  #state: 'start' | 'plain' | 'quoted' | 'quote' = 'start'
  #afterReturn = false
  #first = true

  constructor(delimiter = ',') {
    this.#delimiter = delimiter
    this.#delimiterCode = delimiter.charCodeAt(0)
  }

  /**
   * The records that end in this piece: bytes in UTF-8, or text.
   * @throws Error naming the line when a record is too long
   */
  push(piece: Uint8Array | string): CsvRecord[] {
    if (typeof piece === 'string') return this.#take(piece)
    return this.#take(this.#decoder.write(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)))
  }

  /**
   * The last record, if the text did not end with a line break.
   * @throws Error naming the line when a quote is never closed
   */
  end(): CsvRecord[] {
    const records = this.#take(this.#decoder.end())
    if (this.#state === 'quoted') throw new Error(`line ${this.#recordLine}: a quote is never closed`)
    if (this.#state !== 'start' || this.#fields.length > 0) records.push(this.#endRecord())
    return records
  }

  #take(text: string): CsvRecord[] {
    const records: CsvRecord[] = []
    let from = 0
    if (this.#first && text.length > 0) {
      this.#first = false
      if (text.charCodeAt(0) === 0xfeff) from = 1
    }
    for (let i = from; i < text.length; i++) {
      if (!this.#afterReturn) i = this.#skipPlain(text, i)
      if (this.#length > MAX_RECORD)
        throw new Error(`line ${this.#recordLine}: longer than ${MAX_RECORD} characters; is a quote missing?`)
      if (i >= text.length) break
      const c = text[i]!
      if (this.#afterReturn) {
        this.#afterReturn = false
        if (c === '\n') continue // the second half of CRLF
      }
      this.#length++
      const isBreak = c === '\n' || c === '\r'
      if (isBreak) {
        this.#line++
        this.#afterReturn = c === '\r'
      }
      if (this.#state === 'quoted') {
        if (c === '"') this.#state = 'quote'
        else this.#field += isBreak ? '\n' : c
      } else if (isBreak) {
        if (this.#state !== 'start' || this.#fields.length > 0) records.push(this.#endRecord())
        else this.#reset()
      } else if (c === this.#delimiter) {
        this.#fields.push(this.#field)
        this.#field = ''
        this.#state = 'start'
      } else if (c === '"' && this.#state === 'start') {
        this.#state = 'quoted'
      } else if (c === '"' && this.#state === 'quote') {
        this.#field += '"'
        this.#state = 'quoted'
      } else {
        this.#field += c
        this.#state = 'plain'
      }
    }
    return records
  }

  /**
   * Takes a run of characters without a special meaning in one step: most of a large file.
   * @returns the index of the first special character
   */
  #skipPlain(text: string, from: number): number {
    const quoted = this.#state === 'quoted'
    if (this.#state === 'quote') return from
    let to = from
    for (; to < text.length; to++) {
      const code = text.charCodeAt(to)
      if (code === 0x22 || code === 0x0a || code === 0x0d || (!quoted && code === this.#delimiterCode)) break
    }
    if (to === from) return from
    this.#length += to - from
    this.#field += text.slice(from, to)
    if (!quoted) this.#state = 'plain'
    return to
  }

  #endRecord(): CsvRecord {
    this.#fields.push(this.#field)
    const record = { line: this.#recordLine, fields: this.#fields }
    this.#reset()
    return record
  }

  #reset(): void {
    this.#field = ''
    this.#fields = []
    this.#state = 'start'
    this.#length = 0
    this.#recordLine = this.#line
  }
}
