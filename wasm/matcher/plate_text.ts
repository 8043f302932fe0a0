/**
 * The one place where text that people or files give becomes the text that is compared: upper case `[A-Z0-9]`. The
 * original is kept by whoever needs it. Patterns go through `plainCharacter` one character at a time, so that an error
 * can name its place in what was typed.
 */

/** Letters of other alphabets that look like one of ours. */
const HOMOGLYPHS: Readonly<Record<string, string>> = {
  ...pairs('АВЕКМНОРСТУХІЈЅԚԜҮ', 'ABEKMHOPCTYXIJSQWY'), // Cyrillic
  ...pairs('ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹϳ', 'ABEZHIKMNOPTYXCJ'), // Greek
  ...pairs('ØĐŁĦŦıſ', 'ODLHTIS'), // Latin letters that do not decompose
}

/** First digit of the decimal digits of other scripts. */
const ZEROS = [0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xe50, 0xed0]

/** What stands between the characters of a plate and means nothing: blanks, dashes, dots, quotes, seals. */
const SEPARATORS = /[\s\p{Pd}\p{Cf}\p{M}.,·•∙'"’‘“”`´_/\\|:;()]/u
const PLAIN = /^[A-Z0-9]+$/

/** Most characters of a text that are looked at. */
const MAX_TEXT = 256

/**
 * The plate in a text: upper case, accents taken off, look-alikes of other alphabets replaced, everything else that is
 * no letter or digit left out. May be empty. Only the first 256 characters count.
 */
export function normalisePlate(text: string): string {
  if (PLAIN.test(text) && text.length <= MAX_TEXT) return text
  let plate = ''
  for (const character of text.slice(0, MAX_TEXT).normalize('NFKC')) plate += plainCharacter(character) ?? ''
  return plate
}

/**
 * The plate in a text, or the character that no plate has (a wildcard would change which plate is meant if it were left
 * out).
 */
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

/**
 * `[A-Z0-9]` for one character (one code point, any script), or nothing when it is none of them. ß and such give two.
 */
export function plainCharacter(character: string): string | undefined {
  const upper = character.toUpperCase()
  if (PLAIN.test(upper)) return upper
  const bare = upper.normalize('NFKD').replace(/\p{M}/gu, '')
  if (PLAIN.test(bare)) return bare
  const known = HOMOGLYPHS[bare] ?? HOMOGLYPHS[character]
  if (known !== undefined) return known
  const point = bare.codePointAt(0) ?? 0
  const zero = ZEROS.find((first) => point >= first && point < first + 10)
  return zero === undefined ? undefined : String(point - zero)
}

/** Whether a character may stand between those of a plate without meaning anything. */
export const isSeparator = (character: string): boolean => SEPARATORS.test(character)

function pairs(from: string, to: string): Record<string, string> {
  const targets = [...to]
  return Object.fromEntries([...from].map((character, i) => [character, targets[i]!]))
}
