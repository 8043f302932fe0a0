/** Letter by letter, for a screen reader: `7 A B C`. */
export const spell = (plate: string): string => [...plate].join(' ')
