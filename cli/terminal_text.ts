/**
 * Control characters, and what turns the direction of a text or breaks its line: in a name, a file name or an error
 * they would move the cursor, colour or hide what follows, or forge a line. Tab and line feed are not among them.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it finds
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g

/** The text as a terminal may show it: unsafe characters as `\u001b`, which in JSON means the same character. */
export const terminalText = (text: string): string =>
  text.replace(UNSAFE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** The same for a part of a line: line feeds and tabs are shown too. */
export const terminalWord = (text: string): string =>
  terminalText(text).replace(/[\n\t]/g, (char) => (char === '\n' ? '\\n' : '\\t'))
