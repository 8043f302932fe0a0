import { CHARACTERS, CLASSES } from '../../wasm/mod.js'

/**
 * About what the reader saw, from what is stored of it: its text, its alternates and how sure it was of each. At each
 * position a character has the probability of the texts that have it there; alternates of another length, and what the
 * texts leave over, are spread over all characters, so that the product of the best is about the confidence. Stored
 * reads have no more; the matcher's live checks see the distribution itself.
 * @returns 37 probabilities a position; none for a text that is no plate
 */
export function distributionOf(
  plate: string,
  confidence: number,
  alternates: readonly { plate: string; confidence: number }[],
): Float32Array[] {
  if (!/^[A-Z0-9]{1,16}$/.test(plate)) return []
  const alike = alternates.filter((one) => one.plate.length === plate.length && /^[A-Z0-9]+$/.test(one.plate))
  const told = alike.reduce((sum, one) => sum + one.confidence, 0)
  const left = Math.max(0, 1 - confidence - told) / plate.length
  return [...plate].map((character, i) => {
    const position = new Float32Array(CLASSES)
    position.fill(left / CHARACTERS.length, 0, CHARACTERS.length)
    let others = 0
    for (const one of alike) {
      if (one.plate[i] === character) continue
      position[CHARACTERS.indexOf(one.plate[i]!)]! += one.confidence
      others += one.confidence
    }
    position[CHARACTERS.indexOf(character)]! += Math.max(0, 1 - left - others)
    const sum = position.reduce((a, b) => a + b, 0)
    return position.map((p) => p / sum)
  })
}
