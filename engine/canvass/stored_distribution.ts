import { CHARACTERS, CLASSES } from '../../wasm/mod.js'

/**
 * Reconstructs approximately what the recognizer saw from what is stored: the text, its alternates and their
 * confidences. At each position a character gets the probability of the texts that have it there. Alternates of another
 * length, and the probability that remains, are spread over all characters, so that the product of the best characters
 * is about the confidence. Live matching uses the full distribution, which is not stored.
 * @returns 37 probabilities a position; empty for a text that is not a plate
 */
export function storedDistribution(
  plate: string,
  confidence: number,
  alternates: readonly { plate: string; confidence: number }[],
): Float32Array[] {
  if (!/^[A-Z0-9]{1,16}$/.test(plate)) return []
  const comparable = alternates.filter((one) => one.plate.length === plate.length && /^[A-Z0-9]+$/.test(one.plate))
  const assigned = comparable.reduce((sum, one) => sum + one.confidence, 0)
  const left = Math.max(0, 1 - confidence - assigned) / plate.length
  return [...plate].map((character, i) => {
    const position = new Float32Array(CLASSES)
    position.fill(left / CHARACTERS.length, 0, CHARACTERS.length)
    let others = 0
    for (const one of comparable) {
      if (one.plate[i] === character) continue
      position[CHARACTERS.indexOf(one.plate[i]!)]! += one.confidence
      others += one.confidence
    }
    position[CHARACTERS.indexOf(character)]! += Math.max(0, 1 - left - others)
    const sum = position.reduce((a, b) => a + b, 0)
    return position.map((p) => p / sum)
  })
}
