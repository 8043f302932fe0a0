import { CHARACTERS, CLASSES, NONE } from '../../wasm/mod.js'

/** Certainties are rounded to a thousandth: finer differences mean nothing, and rows can be shared. */
const STEPS = 1_000
/** Bounds of a certainty: no camera is always right or always wrong. */
const LEAST = 0.05
const MOST = 0.999

/** The row of each character at each certainty, made when first needed, 5 MB in all. Shared: never write to one. */
const rows = new Array<Float32Array | undefined>((STEPS + 1) * NONE)

/**
 * The distribution of each position, 37 probabilities, from a camera's text and confidence. The matcher itself knows
 * which characters are mistaken for which others, so the remainder is spread evenly over all other characters and
 * 'none'.
 * @param confidence that the whole text is right; that of each character is its n-th root
 * @param characters the confidence of each character, if the camera gives it
 */
export function characterDistributions(
  plate: string,
  confidence: number,
  characters?: readonly number[],
): Float32Array[] {
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
