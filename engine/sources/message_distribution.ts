import { CHARACTERS, CLASSES, NONE } from '../../wasm/mod.js'

/** Certainties are told apart to a thousandth: finer is not known, and rows can be shared. */
const STEPS = 1_000
/** A camera is never so sure, nor so unsure, that its word is all or nothing. */
const LEAST = 0.05
const MOST = 0.999

/**
 * Of each character at each certainty; made when first needed, 5 MB when all are. They are shared: never written to.
 */
const rows = new Array<Float32Array | undefined>((STEPS + 1) * NONE)

/**
 * What a camera's text and confidence say of each position: 37 probabilities. The matcher knows by itself which
 * characters are mistaken for which others, so what is left beside the character read is spread evenly over all others
 * and 'none'.
 * @param confidence that the whole text is right: each character then is with its n-th root
 * @param characters by character, where the camera tells them
 */
export function distributionOf(plate: string, confidence: number, characters?: readonly number[]): Float32Array[] {
  const each = characters ? 0 : confidence ** (1 / plate.length)
  const positions = new Array<Float32Array>(plate.length)
  for (let i = 0; i < plate.length; i++)
    positions[i] = rowOf(CHARACTERS.indexOf(plate[i]!), characters ? characters[i]! : each)
  return positions
}

function rowOf(character: number, certainty: number): Float32Array {
  const step = Math.round(Math.min(MOST, Math.max(LEAST, certainty)) * STEPS)
  const at = step * NONE + character
  return (rows[at] ??= new Float32Array(CLASSES)
    .fill((1 - step / STEPS) / (CLASSES - 1))
    .fill(step / STEPS, character, character + 1))
}
