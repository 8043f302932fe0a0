import { Bits } from './bits.js'
import { corrupt, OtherJpeg } from './corrupt.js'
import { readFrame, type Component, type Frame } from './frame.js'
import { Huffman } from './huffman.js'
import { fastTable, inverseDct, NATURAL } from './idct_fast.js'
import { checkProgression, ProgressiveScan, type Progression } from './progressive.js'
import { walkScan } from './scan.js'
import { sequentialScan } from './sequential.js'
import type { LumaTarget, Size } from '../limits.js'

const DHT = 0xc4
const END = 0xd9
const SCAN = 0xda
const DQT = 0xdb
const DRI = 0xdd
const ADOBE = 0xee
const JFIF = 0xe0
const COMMENT = 0xfe

/**
 * Decodes the luma of a JPEG in plain TypeScript: baseline, extended and progressive, with any chroma. The result
 * equals libjpeg-turbo's bit for bit (its fast transform, which the engine uses), so that a browser sees the same
 * picture as the engine. What libjpeg only warns about is an error, as in the engine.
 * @throws ALPR_ERR_FRAME_CORRUPT, _TOO_SMALL, _TOO_LARGE; OtherJpeg for unsupported kinds
 */
export class JpegLuma {
  #frame: Frame | undefined
  #luma: Uint8Array = new Uint8Array(0)
  #quantisations: (Uint16Array | undefined)[] = []
  #lumaTable: Int16Array | undefined
  #dcTables: (Huffman | undefined)[] = []
  #acTables: (Huffman | undefined)[] = []
  #restartInterval = 0
  #jfif = false
  #adobe: number | undefined

  constructor(
    private readonly bytes: Uint8Array,
    private readonly target: LumaTarget,
  ) {}

  decode(): Size {
    const { bytes } = this
    for (let at = 2; ; ) {
      while (bytes[at] === 0xff && bytes[at + 1] === 0xff) at++
      const marker = bytes[at + 1]
      if (bytes[at] !== 0xff || marker === undefined) throw corrupt(`no marker at byte ${at}`)
      if (marker === END) break
      if (marker === 0x01) {
        at += 2
        continue
      }
      const length = bytes[at + 2]! * 256 + bytes[at + 3]!
      if (!(length >= 2) || at + 2 + length > bytes.length) throw corrupt(`a segment of ${length} bytes at byte ${at}`)
      at += 4
      if (marker === SCAN) at = this.#scan(at, length - 2)
      else {
        this.#segment(marker, at, length - 2)
        at += length - 2
      }
    }
    return this.#finish()
  }

  #segment(marker: number, at: number, length: number): void {
    const { bytes } = this
    if (marker === DHT) this.#readHuffman(at, at + length)
    else if (marker === DQT) this.#readQuantisation(at, at + length)
    else if (marker === DRI) this.#restartInterval = bytes[at]! * 256 + bytes[at + 1]!
    else if (marker >= 0xc0 && marker <= 0xcf) this.#startFrame(marker, at, length)
    else if (marker === JFIF) this.#jfif ||= tagOf(bytes, at, 4) === 'JFIF'
    else if (marker === ADOBE && length >= 12 && tagOf(bytes, at, 5) === 'Adobe') this.#adobe = bytes[at + 11]!
    else if (marker < 0xe0 || (marker > 0xef && marker !== COMMENT)) throw corrupt(`marker 0x${marker.toString(16)}`)
  }

  #startFrame(marker: number, at: number, length: number): void {
    if (this.#frame) throw corrupt('two frame headers')
    if (marker > 0xc2) throw new OtherJpeg(`coding process 0x${marker.toString(16)}`)
    this.#frame = readFrame(this.bytes, at, length, marker)
    const { components, width, height } = this.#frame
    if (components.length === 3 && this.#isRgb(components)) throw new OtherJpeg('RGB components')
    this.#luma = this.target.lumaBuffer(width, height)
  }

  /** The guess that libjpeg makes. */
  #isRgb(components: Component[]): boolean {
    if (this.#jfif) return false
    if (this.#adobe !== undefined) return this.#adobe === 0
    return String.fromCharCode(...components.map(({ id }) => id)) === 'RGB'
  }

  #readHuffman(at: number, end: number): void {
    const { bytes } = this
    while (at < end) {
      const selector = bytes[at]!
      const counts = bytes.subarray(at + 1, at + 17)
      const total = counts.reduce((sum, count) => sum + count, 0)
      if ((selector & 0xef) > 3 || total > 256 || at + 17 + total > end) throw corrupt('a damaged Huffman table')
      const values = bytes.slice(at + 17, at + 17 + total)
      const dc = selector < 16
      if (dc && values.some((value) => value > 15)) throw corrupt('a damaged Huffman table')
      ;(dc ? this.#dcTables : this.#acTables)[selector & 15] = new Huffman(counts, values)
      at += 17 + total
    }
  }

  #readQuantisation(at: number, end: number): void {
    const { bytes } = this
    while (at < end) {
      const selector = bytes[at++]!
      const wide = selector >> 4 !== 0
      if ((selector & 15) > 3 || at + (wide ? 128 : 64) > end) throw corrupt('a damaged quantisation table')
      const table = new Uint16Array(64)
      for (let k = 0; k < 64; k++) {
        table[NATURAL[k]!] = wide ? bytes[at]! * 256 + bytes[at + 1]! : bytes[at]!
        at += wide ? 2 : 1
      }
      this.#quantisations[selector & 15] = table
    }
  }

  /** Decodes one scan; returns the position of the marker after it. */
  #scan(at: number, length: number): number {
    const { bytes } = this
    const frame = this.#frame
    if (!frame) throw corrupt('a scan before the frame header')
    const count = bytes[at]!
    if (count < 1 || count > 4 || length !== 4 + 2 * count) throw corrupt('a damaged scan header')
    const components = Array.from({ length: count }, (_, i) =>
      this.#selected(frame, bytes[at + 1 + 2 * i]!, bytes[at + 2 + 2 * i]!),
    )
    if (new Set(components).size !== count) throw corrupt('a scan with a component twice')
    if (count > 1 && components.reduce((blocks, { h, v }) => blocks + h * v, 0) > 10)
      throw corrupt('a scan with too large units')
    const bits = new Bits(bytes, at + length)
    const luma = frame.components[0]!
    if (components.includes(luma) && !this.#lumaTable) {
      const table = this.#quantisations[luma.quantisation]
      if (!table) throw corrupt('no quantisation table')
      this.#lumaTable = fastTable(table)
    }
    if (frame.progressive) {
      const [start, end, bitsOf] = bytes.subarray(at + 1 + 2 * count) as unknown as [number, number, number]
      this.#progressive(frame, components, bits, { start, end, high: bitsOf >> 4, low: bitsOf & 15 })
    } else {
      expectTables(components, true, true)
      walkScan(
        frame,
        components,
        this.#restartInterval,
        bits,
        sequentialScan(bits, (component, x, y) => {
          if (component === luma) this.#draw(luma.coefficients, x, y)
        }),
        () => {},
      )
      for (const { known } of components) known.fill(0)
    }
    return bits.end()
  }

  #selected(frame: Frame, id: number, tables: number): Component {
    const component = frame.components.find((c) => c.id === id)
    if (!component) throw corrupt(`a scan of component ${id}, which is not in the frame`)
    component.dc = 0
    component.dcTable = this.#dcTables[tables >> 4]
    component.acTable = this.#acTables[tables & 15]
    return component
  }

  #progressive(frame: Frame, components: Component[], bits: Bits, progression: Progression): void {
    checkProgression(progression, components)
    expectTables(components, progression.start === 0 && progression.high === 0, progression.start > 0)
    const scan = new ProgressiveScan(bits, progression)
    walkScan(
      frame,
      components,
      this.#restartInterval,
      bits,
      (component, x, y) => scan.decode(component, x, y),
      () => scan.restart(),
    )
  }

  #finish(): Size {
    const frame = this.#frame
    const luma = frame?.components[0]
    if (!frame || !luma || luma.known[0]! < 0) throw corrupt('no luma')
    if (frame.progressive) {
      if (frame.components.some(({ known }) => known.some((bit) => bit !== 0)))
        throw new OtherJpeg('a progressive picture that lacks scans, which libjpeg smoothes')
      for (let y = 0; y < luma.blocksY; y++) {
        for (let x = 0; x < luma.blocksX; x++) {
          const at = 64 * (y * luma.paddedX + x)
          this.#draw(luma.coefficients.subarray(at, at + 64), x, y)
        }
      }
    }
    return { width: frame.width, height: frame.height }
  }

  #draw(coefficients: Int16Array, x: number, y: number): void {
    const { width, height } = this.#frame!
    const right = width - 8 * x
    const below = height - 8 * y
    if (right <= 0 || below <= 0) return
    inverseDct(
      coefficients,
      this.#lumaTable!,
      this.#luma,
      8 * y * width + 8 * x,
      width,
      Math.min(right, 8),
      Math.min(below, 8),
    )
  }
}

function expectTables(components: Component[], dc: boolean, ac: boolean): void {
  for (const { dcTable, acTable } of components)
    if ((dc && !dcTable) || (ac && !acTable)) throw corrupt('no Huffman table')
}

function tagOf(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length))
}
