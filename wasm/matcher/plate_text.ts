/**
 * The only place where text from people or files becomes the text that is compared: upper case `[A-Z0-9]`. Callers keep
 * the original where they need it. Patterns use `plainCharacter` one character at a time, so that an error can name its
 * position in the source.
 */

/** Letters of other alphabets that look like Latin ones. */
const HOMOGLYPHS: Readonly<Record<string, string>> = {
  ...pairs('АВЕКМНОРСТУХІЈЅԚԜҮ', 'ABEKMHOPCTYXIJSQWY'), // Cyrillic
  ...pairs('ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹϳ', 'ABEZHIKMNOPTYXCJ'), // Greek
  ...pairs('ØĐŁĦŦıſ', 'ODLHTIS'), // Latin letters that do not decompose
}

/** First digit of the decimal digits of other scripts. */
const ZEROS = [0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xe50, 0xed0]

/** Separators between the characters of a plate, ignored: blanks, dashes, dots, quotes, seals. */
const SEPARATORS = /[\s\p{Pd}\p{Cf}\p{M}.,·•∙'"’‘“”`´_/\\|:;()]/u
const PLAIN = /^[A-Z0-9]+$/

/** Characters of a text that are used; the rest is ignored. */
const MAX_TEXT = 256

/**
 * The plate in a text: upper case, accents removed, look-alikes of other alphabets replaced, everything that is not a
 * letter or digit removed. May be empty. Only the first 256 characters count.
 */
export function normalisePlate(text: string): string {
  if (PLAIN.test(text) && text.length <= MAX_TEXT) return text
  let plate = ''
  for (const character of text.slice(0, MAX_TEXT).normalize('NFKC')) plate += plainCharacter(character) ?? ''
  return plate
}

/** The plate in a text, or its first character that no plate can have: ignoring a wildcard would change the plate. */
export function strictPlate(text: string): { plate: string } | { odd: string } {
  if (PLAIN.test(text) && text.length <= MAX_TEXT) return { plate: text }
  let plate = ''
  for (const character of text.slice(0, MAX_TEXT).normalize('NFKC')) {
    const plain = plainCharacter(character)
    if (plain !== undefined) plate += plain
    else if (!isSeparator(character)) return { odd: character }
  }
  return { plate }
}

/** One character (one code point, any script) as `[A-Z0-9]`, two for ß and such; undefined for any other character. */
export function plainCharacter(character: string): string | undefined {
  const upper = character.toUpperCase()
  if (PLAIN.test(upper)) return upper
  const bare = upper.normalize('NFKD').replace(/\p{M}/gu, '')
  if (PLAIN.test(bare)) return bare
  const latin = HOMOGLYPHS[bare] ?? HOMOGLYPHS[character]
  if (latin !== undefined) return latin
  const point = bare.codePointAt(0) ?? 0
  const zero = ZEROS.find((first) => point >= first && point < first + 10)
  return zero === undefined ? undefined : String(point - zero)
}

/** Whether a character is ignored between those of a plate. */
export const isSeparator = (character: string): boolean => SEPARATORS.test(character)

function pairs(from: string, to: string): Record<string, string> {
  const targets = [...to]
  return Object.fromEntries([...from].map((character, i) => [character, targets[i]!]))
}
