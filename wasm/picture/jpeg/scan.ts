import { WasmError } from '../../errors.js'
import type { Bits } from './bits.js'
import { corrupt } from './corrupt.js'
import type { Component, Frame } from './frame.js'
import { isRestart } from './marker.js'

/**
 * Decodes one block; `x`, `y` are its position among the component's blocks.
 */
export type BlockDecoder = (component: Component, x: number, y: number) => void

/** How a scan went. */
export interface ScanOutcome {
  /** Minimal coded units of the scan, and those that were lost. */
  units: number
  lost: number
  /** The first damage. */
  reason?: string
  /** Whether the file ended in it. */
  cut: boolean
}

/** Restart markers that may be missing in a row; more are taken for a marker from elsewhere. */
const MOST_MISSING = 4

/**
 * Walks the blocks of a scan: one component row by row, or several interleaved in minimal coded units.
 *
 *     4:2:0, interleaved   Y Y   Cb Cr   Y Y   Cb Cr  ..
 *                          Y Y           Y Y
 *
 * Damage ends an interval between restart markers, or the scan when it has none; decoding goes on with the next.
 * Surplus bytes before a marker are damage only when blocks before them were impossible: cameras pad there, and a
 * reader that lost its place leaves bytes over, too.
 */
export class ScanWalk {
  /** The first unit of the interval with a block that no encoder writes, -1 for none. */
  #odd = -1
  #unit = 0

  constructor(
    private readonly frame: Frame,
    private readonly components: Component[],
    private readonly restartInterval: number,
    private readonly bits: Bits,
    private readonly decode: BlockDecoder,
    private readonly onRestart: () => void,
  ) {}

  /** Called by the decoder for a block that no encoder writes. */
  markOdd(): void {
    if (this.#odd < 0) this.#odd = this.#unit
  }

  run(): ScanOutcome {
    const { frame, components, bits } = this
    const [first] = components as [Component]
    const alone = components.length === 1
    const across = alone ? first.blocksX : frame.unitsX
    const units = across * (alone ? first.blocksY : frame.unitsY)
    const interval = this.restartInterval > 0 ? this.restartInterval : units
    const outcome: ScanOutcome = { units, lost: 0, cut: false }
    const lose = (count: number, reason: string) => {
      outcome.lost += count
      outcome.reason ??= reason
    }
    let restart = 0
    for (let from = 0; from < units; ) {
      const to = Math.min(units, from + interval)
      this.#odd = -1
      try {
        this.#interval(from, to, across)
      } catch (error) {
        if (!(error instanceof WasmError) || error.code !== 'ALPR_ERR_FRAME_CORRUPT') throw error
        // of an interval nobody knows where its damage began
        lose(
          this.restartInterval > 0 ? to - from : to - (this.#odd < 0 ? this.#unit : this.#odd),
          String(error.details.reason),
        )
        this.#odd = -1
      }
      let { code, surplus } = bits.toMarker()
      if (surplus && this.#odd >= 0)
        lose(to - (this.restartInterval > 0 ? from : this.#odd), 'the coded data lost its place')
      from = to
      if (from >= units) break
      // the marker of the next interval; a later one when some are missing
      let missing = code === undefined || !isRestart(code) ? -1 : (code - 0xd0 - restart) & 7
      while (missing > MOST_MISSING) {
        bits.passMarker()
        ;({ code } = bits.toMarker())
        missing = code === undefined || !isRestart(code) ? -1 : (code - 0xd0 - restart) & 7
      }
      if (missing < 0) {
        outcome.cut = code === undefined
        lose(
          units - from,
          code === undefined ? 'the coded data is cut short' : `no restart marker at byte ${bits.position}`,
        )
        break
      }
      if (missing > 0) {
        lose(Math.min(units - from, missing * interval), `restart marker ${restart} is missing`)
        from += missing * interval
      }
      restart = (restart + missing + 1) & 7
      bits.passMarker()
      for (const component of components) component.dc = 0
      this.onRestart()
    }
    if (outcome.reason !== undefined && bits.toMarker().code === undefined) outcome.cut = true
    return outcome
  }

  /** Decodes the units from `from` to before `to`. @throws ALPR_ERR_FRAME_CORRUPT */
  #interval(from: number, to: number, across: number): void {
    const { frame, components, bits, decode } = this
    const [first] = components as [Component]
    const alone = components.length === 1
    const blocks = alone ? 1 : components.reduce((sum, { h, v }) => sum + h * v, 0)
    for (let unit = from; unit < to; unit++) {
      this.#unit = unit
      if (!frame.progressive) bits.startUnit(blocks)
      const x = unit % across
      const y = (unit - x) / across
      if (alone) {
        decode(first, x, y)
        continue
      }
      for (const component of components) {
        for (let v = 0; v < component.v; v++)
          for (let h = 0; h < component.h; h++) decode(component, x * component.h + h, y * component.v + v)
      }
    }
  }
}

/** @throws ALPR_ERR_FRAME_CORRUPT for a scan header that does not fit the frame */
export function checkUnits(components: Component[]): void {
  if (new Set(components).size !== components.length) throw corrupt('a scan with a component twice')
  if (components.length > 1 && components.reduce((blocks, { h, v }) => blocks + h * v, 0) > 10)
    throw corrupt('a scan with too large units')
}
