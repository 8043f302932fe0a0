import type { Bits } from './bits.js'
import { corrupt } from './corrupt.js'
import type { Component } from './frame.js'
import { NATURAL } from './idct_fast.js'

/**
 * The part of a progressive picture in one scan: coefficients `start` to `end`, the bit `low`; `high` is the
 * previous bit, 0 in a first scan.
 */
export interface Progression {
  start: number
  end: number
  high: number
  low: number
}

/** @throws ALPR_ERR_FRAME_CORRUPT when the scan does not fit the previous ones */
export function checkProgression({ start, end, high, low }: Progression, components: Component[]): void {
  const dc = start === 0
  if (
    (dc ? end !== 0 : end < start || end > 63 || components.length !== 1) ||
    low > 13 ||
    (high !== 0 && low !== high - 1)
  ) {
    throw corrupt(`a progressive scan of coefficients ${start} to ${end}, bits ${high} to ${low}`)
  }
  for (const { known } of components) {
    if (!dc && known[0]! < 0) throw corrupt('a progressive scan before its DC')
    for (let k = start; k <= end; k++) {
      if (high !== Math.max(0, known[k]!)) throw corrupt('a progressive scan out of order')
      known[k] = low
    }
  }
}

/** The four kinds of progressive scans (T.81, annex G). One object is one scan. */
export class ProgressiveScan {
  /** Blocks still to come whose band is empty. */
  #emptyRun = 0

  constructor(
    private readonly bits: Bits,
    private readonly progression: Progression,
    private readonly onOdd: () => void,
  ) {}

  restart(): void {
    this.#emptyRun = 0
  }

  decode(component: Component, x: number, y: number): void {
    const at = 64 * (y * component.paddedX + x)
    const { start, high } = this.progression
    if (start === 0) {
      if (high === 0) this.#firstDc(component, at)
      else this.#refineDc(component, at)
    } else if (high === 0) this.#firstAc(component, at)
    else this.#refineAc(component, at)
  }

  #firstDc(component: Component, at: number): void {
    component.dc += this.bits.signed(component.dcTable!.decode(this.bits))
    const dc = component.dc << this.progression.low
    if (!component.needed) return
    if (Math.abs(dc) > component.mostDc) this.onOdd()
    component.coefficients[at] = dc
  }

  #refineDc({ coefficients, needed }: Component, at: number): void {
    if (this.bits.take(1) === 1 && needed) coefficients[at]! |= 1 << this.progression.low
  }

  #firstAc({ coefficients, acTable }: Component, at: number): void {
    if (this.#emptyRun > 0) {
      this.#emptyRun--
      return
    }
    const { bits } = this
    const { start, end, low } = this.progression
    for (let k = start; k <= end; k++) {
      const symbol = acTable!.decode(bits)
      const size = symbol & 15
      const run = symbol >> 4
      if (size !== 0) {
        k += run
        if (k > end) this.onOdd()
        coefficients[at + NATURAL[k]!] = bits.signed(size) << low
      } else if (run === 15) k += 15
      else {
        this.#emptyRun = this.#runOf(run) - 1
        return
      }
    }
  }

  #refineAc({ coefficients, acTable }: Component, at: number): void {
    const { bits } = this
    const { start, end, low } = this.progression
    const one = 1 << low
    let k = start
    if (this.#emptyRun === 0) {
      for (; k <= end; k++) {
        const symbol = acTable!.decode(bits)
        const size = symbol & 15
        let run = symbol >> 4
        let value = 0
        if (size !== 0) {
          if (size !== 1) throw corrupt('a refinement of more than one bit')
          value = bits.take(1) === 1 ? one : -one
        } else if (run !== 15) {
          this.#emptyRun = this.#runOf(run)
          break
        }
        // skip `run` zeros; nonzero coefficients in between get their next bit
        for (; k <= end; k++) {
          const place = at + NATURAL[k]!
          if (coefficients[place] !== 0) this.#refine(coefficients, place, one)
          else if (--run < 0) break
        }
        if (value !== 0) coefficients[at + NATURAL[k]!] = value
      }
    }
    if (this.#emptyRun === 0) return
    for (; k <= end; k++) {
      const place = at + NATURAL[k]!
      if (coefficients[place] !== 0) this.#refine(coefficients, place, one)
    }
    this.#emptyRun--
  }

  #refine(coefficients: Int16Array, place: number, one: number): void {
    const value = coefficients[place]!
    if (this.bits.take(1) === 1 && (value & one) === 0) coefficients[place] = value + (value >= 0 ? one : -one)
  }

  #runOf(size: number): number {
    return (1 << size) + (size === 0 ? 0 : this.bits.take(size))
  }
}
