/**
 * A name or literal of a statement, as the engine's lexer sees it. The fence judges these, never the text between them:
 * blanks and comments of any kind do not count.
 */
export interface Token {
  /** `word`: keyword or bare identifier; `name`: quoted identifier; `text`: string; `number`. */
  kind: 'word' | 'name' | 'text' | 'number'
  /** Without quotes, escapes decoded. */
  text: string
  upper: string
  start: number
  end: number
  /** Open parentheses before it. */
  depth: number
  /** The sign that follows it, without blanks and comments; `''` before another token and at the end. */
  next: string
}

/** Quoted text ends at the same quote; a backslash escapes, a doubled quote is a literal one. */
export function endOfQuoted(sql: string, start: number): number {
  const quote = sql[start]!
  for (let at = start + 1; at < sql.length; at++) {
    if (sql[at] === '\\') at++
    else if (sql[at] === quote) {
      if (sql[at + 1] !== quote) return at + 1
      at++
    }
  }
  return sql.length
}

/** Offset behind the comment that begins at `at`, or undefined where none begins. Comments of C's kind nest. */
export function endOfComment(sql: string, at: number): number | undefined {
  const char = sql[at]
  const next = sql[at + 1]
  if ((char === '-' && next === '-') || (char === '#' && (next === ' ' || next === '!'))) return after(sql, '\n', at)
  if (char !== '/' || next !== '*') return undefined
  const marks = /\/\*|\*\//g
  marks.lastIndex = at
  let open = 0
  for (let mark = marks.exec(sql); mark; mark = marks.exec(sql)) {
    open += mark[0] === '/*' ? 1 : -1
    if (open === 0) return marks.lastIndex
  }
  return sql.length
}

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', r: '\r', n: '\n', t: '\t', 0: '\0' }

/** What a quoted text means: `` `fil\x65` `` is the name `file`. */
export function decodeQuoted(quoted: string): string {
  const quote = quoted[0]!
  return quoted
    .slice(1, -1)
    .replace(/\\x([0-9A-Fa-f]{2})|\\([\s\S])|(["'`])\3/g, (all, hex?: string, escaped?: string, doubled?: string) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
      if (escaped !== undefined) return ESCAPES[escaped] ?? escaped
      return doubled === quote ? quote : all
    })
}

/** Blanks as the engine's lexer has them, and more: what is none makes the engine refuse the statement. */
export const isBlankSign = (char: string): boolean => char <= ' ' || char > '~'

export function after(sql: string, mark: string, from: number): number {
  const found = sql.indexOf(mark, from)
  return found < 0 ? sql.length : found + mark.length
}
