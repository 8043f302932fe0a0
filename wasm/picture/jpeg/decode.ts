import { WasmError } from '../../errors.js'
import type { Damage, Decoded } from '../decoded.js'
import type { CheckedJpeg } from '../jpeg_check.js'
import { reducedSize, type LumaTarget } from '../limits.js'
import { Bits } from './bits.js'
import { corrupt, truncated } from './corrupt.js'
import { readFrame, type Component, type Frame } from './frame.js'
import { Huffman } from './huffman.js'
import { fastTable, NATURAL } from './idct_fast.js'
import { LumaImage } from './luma_image.js'
import { DHT, DQT, DRI, END, endOfCoded, isFrame, nextSegment, SCAN } from './marker.js'
import { checkProgression, ProgressiveScan, type Progression } from './progressive.js'
import { checkUnits, ScanWalk, type ScanOutcome } from './scan.js'
import { mostDcOf, sequentialScan } from './sequential.js'
import { STANDARD_AC, STANDARD_DC } from './standard_tables.js'

/** A picture of which less is whole is refused, 0..1. */
const LEAST_SHARE = 0.25

/** What libjpeg stumbles over in a JPEG whose picture is whole. */
export interface Blemishes {
  /** Bytes that no pixel needs, in order. */
  surplus: [from: number, to: number][]
  /** Where the end marker stands or has to stand. */
  end: number
}

/**
 * Decodes the luma of a JPEG in plain TypeScript: baseline, extended and progressive, grey, colour and CMYK. Where
 * libjpeg-turbo decodes without a warning, the result is the same bit for bit (its fast transform, which the engine
 * uses), so that a browser sees the same picture as the engine. Everything else is decided here, for all entrances:
 * which files are whole in spite of what libjpeg warns about, and which are read in part.
 * @throws ALPR_ERR_FRAME_CORRUPT, _TRUNCATED
 */
export class JpegLuma {
  /** What libjpeg stumbles over. */
  readonly blemishes: Blemishes = { surplus: [], end: 0 }
  #frame: Frame | undefined
  #image: LumaImage | undefined
  #quantisations: (Uint16Array | undefined)[] = []
  #dcTables: (Huffman | undefined)[] = []
  #acTables: (Huffman | undefined)[] = []
  #restartInterval = 0
  /** Units of the scans that give the luma, and those lost. */
  #units = 0
  #lost = 0
  #reason: string | undefined
  #cut = false

  constructor(
    private readonly bytes: Uint8Array,
    private readonly header: CheckedJpeg,
    private readonly target: LumaTarget,
  ) {}

  decode(): Decoded {
    const { bytes } = this
    let at = this.header.start + 2
    try {
      for (;;) {
        const segment = nextSegment(bytes, at)
        if (!segment) {
          this.#end(bytes.length, true)
          break
        }
        const { code, marker, from, to } = segment
        if (marker > at) this.blemishes.surplus.push([at, marker])
        if (code === END) {
          this.#end(marker, false)
          break
        }
        if (to > bytes.length) {
          this.#end(marker, true)
          break
        }
        at = code === SCAN ? this.#scan(from, to) : to
        if (code !== SCAN) this.#segment(code, from, to)
        this.blemishes.end = at
      }
    } catch (error) {
      if (!(error instanceof WasmError) || error.code !== 'ALPR_ERR_FRAME_CORRUPT' || this.#units === 0) throw error
      // behind a whole picture anything may stand
      if (!this.#isComplete()) this.#damage(String(error.details.reason), false)
    }
    return this.#finish()
  }

  /** The file's end, `cut` when it comes before the end marker. */
  #end(at: number, cut: boolean): void {
    if (this.#isComplete()) this.blemishes.end = Math.min(at, this.blemishes.end || at)
    else if (cut) this.#damage('the file ends', true)
  }

  #damage(reason: string, cut: boolean): void {
    this.#reason ??= reason
    this.#cut ||= cut
  }

  #segment(code: number, from: number, to: number): void {
    const { bytes } = this
    if (code === DHT) this.#readHuffman(from, to)
    else if (code === DQT) this.#readQuantisation(from, to)
    else if (code === DRI) this.#restartInterval = to - from < 2 ? 0 : bytes[from]! * 256 + bytes[from + 1]!
    else if (isFrame(code)) {
      if (this.#frame) throw corrupt('two frame headers')
      this.#frame = readFrame(bytes, from, this.header)
    }
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
  #scan(at: number, to: number): number {
    const { bytes } = this
    const frame = this.#frame
    if (!frame) throw corrupt('a scan before the frame header')
    const count = bytes[at]!
    if (count < 1 || count > 4 || to - at !== 4 + 2 * count) throw corrupt('a damaged scan header')
    const components = Array.from({ length: count }, (_, i) =>
      this.#selected(frame, bytes[at + 1 + 2 * i]!, bytes[at + 2 + 2 * i]!),
    )
    checkUnits(components)
    if (!components.some(({ needed }) => needed)) return endOfCoded(bytes, to)
    for (const component of components) if (component.needed) this.#prepare(component)
    this.#image ??= new LumaImage(frame, this.header, this.header.reduction, this.target)
    const bits = new Bits(bytes, to, (from, end) => this.blemishes.surplus.push([from, end]))
    const progression = bytes.subarray(at + 1 + 2 * count) as unknown as [number, number, number]
    const walk = frame.progressive
      ? this.#progressive(frame, components, bits, progression)
      : this.#sequential(frame, components, bits)
    this.#count(walk.run())
    return bits.position
  }

  /** Sets the quantisation that holds for a component: that of its first scan. */
  #prepare(component: Component): void {
    if (component.table) return
    const table = this.#quantisations[component.quantisation]
    if (!table) throw corrupt('no quantisation table')
    component.table = fastTable(table)
    component.mostDc = mostDcOf(table[0]!)
  }

  #count({ units, lost, reason, cut }: ScanOutcome): void {
    this.#units += units
    this.#lost += lost
    if (reason !== undefined) this.#damage(reason, cut)
  }

  #selected(frame: Frame, id: number, tables: number): Component {
    const component = frame.components.find((c) => c.id === id)
    if (!component) throw corrupt(`a scan of component ${id}, which is not in the frame`)
    const standard = !frame.progressive
    component.dc = 0
    component.dcTable = this.#dcTables[tables >> 4] ?? (standard ? standardTable(STANDARD_DC, tables >> 4) : undefined)
    component.acTable = this.#acTables[tables & 15] ?? (standard ? standardTable(STANDARD_AC, tables & 15) : undefined)
    return component
  }

  #sequential(frame: Frame, components: Component[], bits: Bits): ScanWalk {
    expectTables(components, true, true)
    const image = this.#image!
    const decode = sequentialScan(
      bits,
      (component, x, y) => {
        if (component.needed) image.draw(component, component.coefficients, x, y)
      },
      () => walk.markOdd(),
    )
    for (const { known } of components) known.fill(0)
    const walk = new ScanWalk(frame, components, this.#restartInterval, bits, decode, () => {})
    return walk
  }

  #progressive(frame: Frame, components: Component[], bits: Bits, [start, end, bitsOf]: number[]): ScanWalk {
    const progression: Progression = { start: start!, end: end!, high: bitsOf! >> 4, low: bitsOf! & 15 }
    checkProgression(progression, components)
    expectTables(components, progression.start === 0 && progression.high === 0, progression.start > 0)
    const scan = new ProgressiveScan(bits, progression, () => walk.markOdd())
    const walk = new ScanWalk(
      frame,
      components,
      this.#restartInterval,
      bits,
      (component, x, y) => scan.decode(component, x, y),
      () => scan.restart(),
    )
    return walk
  }

  /** Whether every coefficient that the luma needs was in a scan. */
  #isComplete(): boolean {
    return this.#frame?.components.every(({ needed, known }) => !needed || known.every((bit) => bit === 0)) ?? false
  }

  #finish(): Decoded {
    const frame = this.#frame
    const complete = this.#isComplete()
    if (!complete) this.#damage('scans are missing', false)
    // scans that are missing count like one that is lost
    const scans = this.#units === 0 ? 0 : (1 - this.#lost / this.#units) * (complete ? 1 : 0.75)
    const needed = frame?.components.filter((component) => component.needed) ?? []
    const hasAll = needed.length > 0 && needed.every(({ known }) => known[0]! >= 0)
    const damage: Damage | undefined =
      this.#reason === undefined
        ? undefined
        : {
            code: this.#cut ? 'ALPR_ERR_FRAME_TRUNCATED' : 'ALPR_ERR_FRAME_CORRUPT',
            reason: this.#reason,
            share: scans,
          }
    if (!frame || !this.#image || !hasAll || scans < LEAST_SHARE) {
      const reason = this.#reason ?? 'no luma'
      throw this.#cut ? truncated(reason) : corrupt(reason)
    }
    if (frame.progressive) for (const component of needed) this.#drawAll(component)
    this.#image.finish()
    if (damage) this.target.markDamaged?.(damage.share)
    const { reduction } = this.header
    return { ...reducedSize(frame, reduction), reduced: reduction, ...(damage ? { damage } : {}) }
  }

  #drawAll(component: Component): void {
    for (let y = 0; y < component.blocksY; y++) {
      for (let x = 0; x < component.blocksX; x++) {
        const at = 64 * (y * component.paddedX + x)
        this.#image!.draw(component, component.coefficients.subarray(at, at + 64), x, y)
      }
    }
  }
}

function expectTables(components: Component[], dc: boolean, ac: boolean): void {
  for (const { dcTable, acTable } of components)
    if ((dc && !dcTable) || (ac && !acTable)) throw corrupt('no Huffman table')
}

function standardTable(tables: Uint8Array[], number: number): Huffman | undefined {
  const table = tables[number]
  return table && new Huffman(table.subarray(0, 16), table.subarray(16))
}
