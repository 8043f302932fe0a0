import { strictPlate } from '../../wasm/mod.js'

/** Longest plate that the matcher takes, in characters. */
export const MAX_PLATE = 12

/** The form of nearly every line of a long list; it needs no normalising. */
const NORMALISED = new RegExp(`^[A-Z0-9]{1,${MAX_PLATE}}$`)
/** What separates the columns of a file, and the wildcard of SQL: no part of a plate. */
const NOT_IN_A_LIST = /[,;|\t\r\n\\_:]/

const MONTH = '(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)'
/** Dates as spreadsheets write them, who take 5MAY, MAY12 and 3-4 for dates. A plate 12-MAY in capitals stays one. */
const DATE = new RegExp(
  `^(?:\\d{1,2}-${MONTH}(?:-\\d{2,4})?|${MONTH}-\\d{2,4}|\\d{1,2}/\\d{1,2}/\\d{2,4}|` +
    `\\d{1,2}([-.])\\d{1,2}\\1(?:19|20)\\d{2}|(?:19|20)\\d{2}([-/.])\\d{1,2}\\2\\d{1,2})(?: \\d{1,2}:\\d{2}.*)?$`,
)
/** Numbers as spreadsheets and programs write them: 1E10 becomes 1.00E+10, and 0012345 becomes 12345.0. */
const NUMBER = /^[+-]?(?:\d+(?:\.\d+)?[eE]\+\d+|\d+\.\d+[eE]\d+|\d+\.\d+)$/
/** `="0012345"`: how an export keeps a spreadsheet from changing a text. */
const FORMULA = /^="([^"]*)"$/

/** Normalises a plate as a list states it, or gives the reason why it is not a plate. */
export function parseListedPlate(text: string): { plate: string } | { reason: string } {
  if (NORMALISED.test(text)) return { plate: text }
  const written = FORMULA.exec(text)?.[1] ?? text
  if (DATE.test(written)) return { reason: `"${written.slice(0, 24)}" is a date that a spreadsheet made of a plate` }
  if (NUMBER.test(written))
    return { reason: `"${written.slice(0, 24)}" is a number that a spreadsheet made of a plate` }
  // Normalising would drop the wildcard of a pattern, or join columns, and the entry would match another plate.
  const separator = NOT_IN_A_LIST.exec(written.trim())
  if (separator) return { reason: `the plate has the character ${shown(separator[0])}` }
  const strict = strictPlate(written)
  if ('odd' in strict) return { reason: `the plate has the character ${shown(strict.odd)}` }
  const { plate } = strict
  if (plate === '') return { reason: 'the plate is empty' }
  if (plate.length > MAX_PLATE) return { reason: `the plate has more than ${MAX_PLATE} characters` }
  return { plate }
}

/** A character in quotes; one that would move the cursor of a terminal by its number. */
const shown = (character: string): string =>
  /[\p{C}\p{Z}]/u.test(character)
    ? `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`
    : `"${character}"`
