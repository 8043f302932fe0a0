import { strictPlate } from '../../wasm/mod.js'

/** Longest plate that the matcher takes, in characters. */
export const MAX_PLATE = 12

/** The form of nearly every line of a long list; it needs no normalising. */
const NORMALISED = new RegExp(`^[A-Z0-9]{1,${MAX_PLATE}}$`)

/** Normalises a plate as a list states it, or gives the reason why it is not a plate. */
export function parseListedPlate(text: string): { plate: string } | { reason: string } {
  if (NORMALISED.test(text)) return { plate: text }
  // Normalising would drop the wildcard of a pattern, and the entry would match another plate.
  const strict = strictPlate(text)
  if ('odd' in strict) return { reason: `the plate has the character "${strict.odd}"` }
  const { plate } = strict
  if (plate === '') return { reason: 'the plate is empty' }
  if (plate.length > MAX_PLATE) return { reason: `the plate has more than ${MAX_PLATE} characters` }
  return { plate }
}
