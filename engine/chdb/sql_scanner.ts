import { after, decodeQuoted, endOfComment, endOfQuoted, isBlankSign, type Token } from './sql_tokens.js'

/**
 * What a scanner for ClickHouse SQL finds out about a statement: its kind, which parameters it names, where inline data
 * begins, and that it is only one statement. The engine parses it; nothing here interprets it.
 */
export interface Statement {
  /** The text without trailing semicolon and inline data. */
  text: string
  /** First keyword, upper case; `''` for an empty text. */
  kind: string
  /** Names of the `{name:Type}` placeholders. */
  placeholders: Set<string>
  /** The name in the last FORMAT clause. */
  format?: string
  /**
   * Offset into `text` for `FROM INFILE`, with which an INSERT takes its data from a file: before SETTINGS and FORMAT.
   */
  dataAt?: number
  /** Offset into the scanned text of the inline data of `INSERT ... FORMAT x`; undefined when it has none. */
  inlineDataAt?: number
  /** More than one SELECT: a subquery, a union. */
  nested: boolean
  /** Its names and literals, without those of inline data and, behind the word VALUES, without literals. */
  tokens: readonly Token[]
  /** Creates a temporary table, which belongs to its session. */
  temporary: boolean
}

/** The text is not exactly one statement. */
export class NotOneStatement extends Error {}

const WORD = /[A-Za-z_][A-Za-z0-9_]*/y
const NUMBER = /[0-9][A-Za-z0-9_]*/y
const PLACEHOLDER = /\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*:/y
const HEREDOC = /\$([A-Za-z0-9_]*)\$/y

/** @throws NotOneStatement when something follows a semicolon */
export function scan(sql: string): Statement {
  const tokens: Token[] = []
  const words: Token[] = []
  const placeholders = new Set<string>()
  let depth = 0
  let end = sql.length
  let at = 0
  let literals = true
  /** The last token, until a sign or another token follows it. */
  let open: Token | undefined
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    return pattern.exec(sql)
  }
  const add = (kind: Token['kind'], text: string, stop: number): Token => {
    const token = { kind, text, upper: text.toUpperCase(), start: at, end: stop, depth, next: '' }
    if (literals || kind === 'word' || kind === 'name') tokens.push(token)
    open = token
    at = stop
    return token
  }
  const sign = (char: string) => {
    if (open) open.next = char
    open = undefined
    at++
  }

  while (at < sql.length) {
    const char = sql[at]!
    const comment = endOfComment(sql, at)
    if (comment !== undefined) {
      at = comment
    } else if (char === "'" || char === '"' || char === '`') {
      const stop = endOfQuoted(sql, at)
      add(char === "'" ? 'text' : 'name', decodeQuoted(sql.slice(at, stop)), stop)
    } else if (char === '‘' || char === '“') {
      const stop = after(sql, char === '‘' ? '’' : '”', at + 1)
      add(char === '‘' ? 'text' : 'name', sql.slice(at + 1, stop - 1), stop)
    } else if (char === '$' && match(HEREDOC)) {
      const tag = match(HEREDOC)![0]
      const stop = after(sql, tag, at + tag.length)
      add('text', sql.slice(at + tag.length, stop - tag.length), stop)
    } else if (char === ';') {
      if (isBlank(sql, at + 1)) {
        end = at
        break
      }
      throw new NotOneStatement(`Multi-statements are not allowed: failed at position ${at + 1}`)
    } else if (char === '{') {
      const name = match(PLACEHOLDER)
      if (name) placeholders.add(name[1]!)
      sign(char)
    } else if (char === '(' || char === ')') {
      sign(char)
      depth += char === '(' ? 1 : -1
    } else if (isBlankSign(char)) {
      at++
    } else {
      const word = match(WORD)
      const number = word ? null : match(NUMBER)
      if (word) {
        words.push(add('word', word[0], at + word[0].length))
        if (words.at(-1)!.upper === 'VALUES') literals = false
        if (words[0]!.upper === 'INSERT' && isFormatName(words)) {
          const data = inlineData(sql, at)
          if (data !== undefined) return describe(sql, at, tokens, words, placeholders, data)
        }
      } else if (number) add('number', number[0], at + number[0].length)
      else sign(char)
    }
  }
  return describe(sql, end, tokens, words, placeholders)
}

function describe(
  sql: string,
  end: number,
  tokens: Token[],
  words: Token[],
  placeholders: Set<string>,
  inlineDataAt?: number,
): Statement {
  const top = words.filter((word) => word.depth === 0)
  const kind = words[0]?.upper ?? ''
  const formatAt = findLast(top, (word, index) => word.upper === 'FORMAT' && index > 0 && top[index + 1] !== undefined)
  const format = formatAt < 0 ? undefined : top[formatAt + 1]!.text
  return {
    text: sql.slice(0, end),
    kind,
    placeholders,
    format,
    dataAt: kind === 'INSERT' ? infileOffset(top, formatAt) : undefined,
    inlineDataAt,
    nested: words.filter((word) => word.upper === 'SELECT').length > 1,
    tokens,
    temporary:
      kind === 'CREATE' && words.slice(1, 4).some((word) => word.upper === 'TEMPORARY' || word.upper === 'TEMP'),
  }
}

/** Only `INSERT INTO t [(columns)] [SETTINGS ...] FORMAT x` takes data; one with SELECT or VALUES contains its own. */
function infileOffset(top: Token[], formatAt: number): number | undefined {
  if (formatAt < 0 || top.some((word) => word.upper === 'SELECT' || word.upper === 'WITH' || word.upper === 'VALUES'))
    return undefined
  const settings = top.find(
    (word, index) =>
      word.upper === 'SETTINGS' &&
      index > 1 &&
      !['INTO', 'TABLE'].includes(top[index - 1]!.upper) &&
      word.start < top[formatAt]!.start,
  )
  return (settings ?? top[formatAt]!).start
}

function isFormatName(words: Token[]): boolean {
  const before = words[words.length - 2]
  return (
    words.length > 3 &&
    before!.upper === 'FORMAT' &&
    before!.depth === 0 &&
    words.every((word) => word.upper !== 'SELECT' && word.upper !== 'VALUES')
  )
}

/** Data begins after the first line break or blank that follows the format's name; a lone semicolon is not data. */
function inlineData(sql: string, at: number): number | undefined {
  if (isBlank(sql, at) || /^\s*(;\s*$|SETTINGS\b)/i.test(sql.slice(at, at + 200))) return undefined
  let start = at
  while (start < sql.length && (sql[start] === ' ' || sql[start] === '\t' || sql[start] === '\r')) start++
  return sql[start] === '\n' ? start + 1 : start
}

/** Whether only blanks, semicolons and comments follow. */
function isBlank(sql: string, from: number): boolean {
  let at = from
  while (at < sql.length) {
    const comment = endOfComment(sql, at)
    if (comment !== undefined) at = comment
    else if (/[\s;]/.test(sql[at]!)) at++
    else return false
  }
  return true
}

function findLast<T>(list: T[], test: (value: T, index: number) => boolean): number {
  for (let index = list.length - 1; index >= 0; index--) if (test(list[index]!, index)) return index
  return -1
}

/** The text as a string literal of ClickHouse. */
export const quote = (value: string): string => `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`

/** The name as a quoted identifier of ClickHouse. */
export const identifier = (name: string): string => `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``
