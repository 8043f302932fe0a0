import { CHARACTERS, NONE } from '../classes.js'
import { MAX_LENGTH, MAX_POSITIONS } from './layout.js'

/** A tolerated difference between a read and a listed plate. */
export interface Tolerance {
  /** 0-based position in the listed plate; for an extra character in the read, the position it precedes. */
  position: number
  /** Character read; empty when the read lacks it. */
  read: string
  /** Character listed; empty when the read has an extra one. */
  listed: string
  /** Probability of this tolerance alone. */
  probability: number
}

/** The tables of a read as matcher.wasm computed them (wasm/assembly/matcher/list_read.ts). */
export interface ReadTables {
  /** P(the plate has c at position i): `emissions[i * 36 + c]`. */
  emissions: Float64Array
  skips: Float64Array
  /** Before position i, digit or letter: `missing[i * 2 + kind]`. */
  missing: Float64Array
  positions: readonly Float32Array[]
}

// Cells by positions and characters consumed: one set for all calls, so that matches leave nothing to the garbage
// collector.
const CELLS = (MAX_POSITIONS + 1) * (MAX_LENGTH + 1)
const best = new Float64Array(CELLS)
const from = new Uint8Array(CELLS)
const classes = new Uint8Array(MAX_LENGTH)

/**
 * Where the read and a listed plate differ under their best alignment; empty when they do not.
 * @param listed 1 to 12 of [A-Z0-9] @param probability as the module found it, not calibrated
 */
export function explainMatch(tables: ReadTables, listed: string, probability: number): Tolerance[] {
  const { emissions, skips, missing, positions } = tables
  const n = positions.length
  const width = listed.length + 1
  for (let j = 0; j < listed.length; j++) classes[j] = classOf(listed.charCodeAt(j))
  if (n === listed.length && inStep(emissions, n) === probability) return misreads(tables, listed)
  for (let i = 0; i <= n; i++) {
    for (let j = 0; j <= listed.length; j++) {
      const at = i * width + j
      const taken = i > 0 && j > 0 ? best[at - width - 1]! * emissions[(i - 1) * NONE + classes[j - 1]!]! : 0
      const extra = i > 0 ? best[at - width]! * skips[i - 1]! : 0
      const missed = j > 0 ? best[at - 1]! * missing[i * 2 + (classes[j - 1]! < 10 ? 0 : 1)]! : 0
      const most = at === 0 ? 1 : Math.max(taken, extra, missed)
      best[at] = most
      from[at] = most === 0 || at === 0 ? 0 : most === taken ? TAKEN : most === extra ? EXTRA : MISSING
    }
  }
  const tolerated: Tolerance[] = []
  for (let i = n, j = listed.length; i > 0 || j > 0; ) {
    const step = from[i * width + j]
    if (step === MISSING) {
      j -= 1
      tolerated.push({
        position: j,
        read: '',
        listed: listed[j]!,
        probability: missing[i * 2 + (classes[j]! < 10 ? 0 : 1)]!,
      })
      continue
    }
    i -= 1
    const read = topCharacter(positions[i]!)
    if (step === EXTRA) {
      // a position that is more likely none was not read as a character
      if (positions[i]![NONE]! <= 0.5)
        tolerated.push({ position: j, read: CHARACTERS[read]!, listed: '', probability: skips[i]! })
      continue
    }
    j -= 1
    if (classes[j] !== read)
      tolerated.push({
        position: j,
        read: CHARACTERS[read]!,
        listed: listed[j]!,
        probability: emissions[i * NONE + classes[j]!]!,
      })
  }
  return tolerated.reverse()
}

/** Product of the alignment without gaps, the best one of nearly every match. */
function inStep(emissions: Float64Array, n: number): number {
  let product = 1
  for (let i = 0; i < n; i++) product *= emissions[i * NONE + classes[i]!]!
  return product
}

function misreads({ emissions, positions }: ReadTables, listed: string): Tolerance[] {
  const tolerated: Tolerance[] = []
  for (let i = 0; i < listed.length; i++) {
    const read = topCharacter(positions[i]!)
    if (classes[i] !== read)
      tolerated.push({
        position: i,
        read: CHARACTERS[read]!,
        listed: listed[i]!,
        probability: emissions[i * NONE + classes[i]!]!,
      })
  }
  return tolerated
}

/** Class of an ASCII character of a plate: 0-9, then A-Z. */
const classOf = (code: number): number => (code < 58 ? code - 48 : code - 55)

const TAKEN = 1
const EXTRA = 2
const MISSING = 3

/** The most probable character of a position, 'none' excluded; the first on ties. */
export function topCharacter(position: Float32Array): number {
  let top = 0
  for (let c = 1; c < NONE; c++) if (position[c]! > position[top]!) top = c
  return top
}
