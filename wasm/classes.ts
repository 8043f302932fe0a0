/** Characters of a plate in the order of their classes; class 36, after them, is 'none'. */
export const CHARACTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'
export const CLASSES = 37
export const NONE = 36
