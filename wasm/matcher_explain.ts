import { CHARACTERS, NONE } from './detection.js'
import { EXTRA, EXTRA_PRIOR, MATCH_BYTES, MAX_POSITIONS, MISSING, MISSING_PRIOR, type MatcherExports } from './matcher_exports.js'

/** One entry of a list that a read may be. */
export interface Match {
  /** Index in the entries as given to compileList. */
  entry: number
  /** Probability that the plate on the road is this one, 0..1. */
  probability: number
  /** The entry is the most probable text of the read, character by character. */
  exact: boolean
  /** Where read and list differ; empty for an exact match. */
  tolerated: Tolerance[]
}

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

/** The matches of the last scan, with what was tolerated in each. `positions`: those that were scanned. */
export function explainMatches(wasm: MatcherExports, positions: readonly Float32Array[]): Match[] {
  const count = wasm.matchesFound()
  const view = new DataView(wasm.memory.buffer, wasm.matchesAddress(), count * MATCH_BYTES)
  const emissions = new Float64Array(wasm.memory.buffer, wasm.emissionsAddress(), MAX_POSITIONS * NONE)
  const read = positions.map(topCharacter)
  return Array.from({ length: count }, (_, m) => {
    const at = m * MATCH_BYTES
    const [entry, alignment, gap, lane] = [8, 12, 16, 20].map((offset) => view.getUint32(at + offset, true)) as [number, number, number, number]
    const length = positions.length + (alignment === MISSING ? 1 : alignment === EXTRA ? -1 : 0)
    const listed = plateAt(wasm, length, lane)
    const tolerated: Tolerance[] = []
    for (let i = 0; i < positions.length; i++) {
      if (alignment === MISSING && i === gap) tolerated.push(missing(gap, listed))
      if (alignment === EXTRA && i === gap) {
        const none = positions[i]![NONE]!
        tolerated.push({ position: gap, read: CHARACTERS[read[i]!]!, listed: '', probability: none + EXTRA_PRIOR * (1 - none) })
        continue
      }
      const position = i + (alignment === MISSING && i >= gap ? 1 : alignment === EXTRA && i > gap ? -1 : 0)
      const character = listed[position]!
      if (character === read[i]) continue
      tolerated.push({ position, read: CHARACTERS[read[i]!]!, listed: CHARACTERS[character]!, probability: emissions[i * NONE + character]! })
    }
    if (alignment === MISSING && gap === positions.length) tolerated.push(missing(gap, listed))
    return { entry, probability: view.getFloat64(at, true), exact: tolerated.length === 0, tolerated }
  })
}

function missing(gap: number, listed: Uint8Array): Tolerance {
  return { position: gap, read: '', listed: CHARACTERS[listed[gap]!]!, probability: MISSING_PRIOR }
}

/** Classes of the plate in a lane of its group. */
function plateAt(wasm: MatcherExports, length: number, lane: number): Uint8Array {
  const planes = new Uint8Array(wasm.memory.buffer, wasm.groupAddress(length))
  const stride = wasm.groupSize(length)
  return Uint8Array.from({ length }, (_, k) => planes[k * stride + lane]!)
}

/** The most probable character of a position, 'none' not counted; the first on ties. */
function topCharacter(position: Float32Array): number {
  let top = 0
  for (let c = 1; c < NONE; c++) if (position[c]! > position[top]!) top = c
  return top
}
