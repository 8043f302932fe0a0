import { CHARACTERS } from '../recognizer/detection.js'

/**
 * The 6-bit codes in which the dictionary packs characters; `-` is a code that no character has. Look-alikes lie in one
 * small cube of the six bits, so that "8 or B" is one plane less to look at than "8" alone; every digit is even and
 * below 32, so that a position where a block of plates has digits only leaves two of its six planes constant, and
 * constant planes are not stored.
 *
 *     bits 4..0  00000   00010   00100   00110   01000   01010   01100   01110   10000   10010
 *     digit      0       1       8       5       2       6       4       7       3       9
 *     with bit 0 O       I       B       S       Z       G       A
 *     with bit 5 D (Q)   L (T)   V (Y)   M (N)   E (F)   P (R)   K (X)   H (W)   C (J)   U
 */
export const CODES = '0O1I8B5S2Z6G4A7-3-9-------------DQLTVYMNEFPRKXHWCJU-------------'

/** Bits of a code, and codes there are. */
export const CODE_BITS = 6
export const CODE_COUNT = 64

/** Longest plate that the dictionary and lists take, in characters. */
export const MAX_PLATE_LENGTH = 16

/** Code of each class (0-9, A-Z). */
export const CODE_OF_CLASS: readonly number[] = Array.from(CHARACTERS, (character) => CODES.indexOf(character))

/** Class of each code; 255 where there is none. */
export const CLASS_OF_CODE: readonly number[] = Array.from(CODES, (character) =>
  character === '-' ? 255 : CHARACTERS.indexOf(character),
)

/** The text of codes. */
export const textOfCodes = (codes: ArrayLike<number>): string => Array.from(codes, (code) => CODES[code]).join('')
