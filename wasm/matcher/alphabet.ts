import { CHARACTERS } from '../classes.js'

/**
 * The 6-bit codes in which the dictionary packs characters; `-` is an unused code. Look-alikes share one small cube of
 * the six bits, so that "8 or B" needs one plane less than "8" alone. Every digit is even and below 32, so that where
 * all plates of a block have a digit two of the six planes are constant, and constant planes are not stored.
 *
 *     bits 4..0  00000   00010   00100   00110   01000   01010   01100   01110   10000   10010
 *     digit      0       1       8       5       2       6       4       7       3       9
 *     with bit 0 O       I       B       S       Z       G       A
 *     with bit 5 D (Q)   L (T)   V (Y)   M (N)   E (F)   P (R)   K (X)   H (W)   C (J)   U
 */
export const CODES = '0O1I8B5S2Z6G4A7-3-9-------------DQLTVYMNEFPRKXHWCJU-------------'

/** Bits of a code; number of codes. */
export const CODE_BITS = 6
export const CODE_COUNT = 64

/** Longest plate that a pattern can describe, in characters. */
export const MAX_PLATE_LENGTH = 16

/** Code of each class (0-9, A-Z). */
export const CODE_OF_CLASS: readonly number[] = Array.from(CHARACTERS, (character) => CODES.indexOf(character))

/** Class of each code; 255 for unused codes. */
export const CLASS_OF_CODE: readonly number[] = Array.from(CODES, (character) =>
  character === '-' ? 255 : CHARACTERS.indexOf(character),
)

/** Codes as text. */
export const textOfCodes = (codes: ArrayLike<number>): string => Array.from(codes, (code) => CODES[code]).join('')
