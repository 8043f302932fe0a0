import { CHARACTERS, NONE } from '../detection.js'

/** One place where a match was tolerated. */
export interface Tolerance {
  /** 0-based position in the listed plate; for an extra character in the read, the position it stands before. */
  position: number
  /** Character read, empty when the read lacks it. */
  read: string
  /** Character listed, empty when the read has one too many. */
  listed: string
  /** Probability of this tolerance alone. */
  probability: number
}

/** The tables of a read as matcher.wasm made them (wasm/assembly/matcher/hot_read.ts). */
export interface ReadTables {
  /** P(the plate has c at position i): `emissions[i * 36 + c]`. */
  emissions: Float64Array
  skips: Float64Array
  /** Before position i, digit or letter: `missing[i * 2 + kind]`. */
  missing: Float64Array
  positions: readonly Float32Array[]
}

/** Where the read and a listed plate differ under their best alignment; empty when they do not. */
export function explainMatch(tables: ReadTables, listed: string): Tolerance[] {
  const { emissions, skips, missing, positions } = tables
  const n = positions.length
  const width = listed.length + 1
  const best = new Float64Array((n + 1) * width)
  const from = new Uint8Array((n + 1) * width)
  best[0] = 1
  const classes = Array.from(listed, (character) => CHARACTERS.indexOf(character))
  for (let i = 0; i <= n; i++) {
    for (let j = 0; j <= listed.length; j++) {
      const at = i * width + j
      const taken = i > 0 && j > 0 ? best[at - width - 1]! * emissions[(i - 1) * NONE + classes[j - 1]!]! : 0
      const extra = i > 0 ? best[at - width]! * skips[i - 1]! : 0
      const missed = j > 0 ? best[at - 1]! * missing[i * 2 + (classes[j - 1]! < 10 ? 0 : 1)]! : 0
      const most = Math.max(best[at]!, taken, extra, missed)
      if (most === best[at]) continue
      best[at] = most
      from[at] = most === taken ? TAKEN : most === extra ? EXTRA : MISSING
    }
  }
  const tolerated: Tolerance[] = []
  for (let i = n, j = listed.length; i > 0 || j > 0;) {
    const step = from[i * width + j]
    if (step === MISSING) {
      j -= 1
      tolerated.push({ position: j, read: '', listed: listed[j]!, probability: missing[i * 2 + (classes[j]! < 10 ? 0 : 1)]! })
      continue
    }
    i -= 1
    const read = topCharacter(positions[i]!)
    if (step === EXTRA) {
      // a position that is rather none was not read as a character at all
      if (positions[i]![NONE]! <= 0.5) tolerated.push({ position: j, read: CHARACTERS[read]!, listed: '', probability: skips[i]! })
      continue
    }
    j -= 1
    if (classes[j] !== read) tolerated.push({ position: j, read: CHARACTERS[read]!, listed: listed[j]!, probability: emissions[i * NONE + classes[j]!]! })
  }
  return tolerated.reverse()
}

const TAKEN = 1
const EXTRA = 2
const MISSING = 3

/** The most probable character of a position, 'none' not counted; the first on ties. */
export function topCharacter(position: Float32Array): number {
  let top = 0
  for (let c = 1; c < NONE; c++) if (position[c]! > position[top]!) top = c
  return top
}
