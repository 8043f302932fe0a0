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
  /** The first word that names what the store does not give: files or hosts (`OUTFILE`, `url(`), the log of queries. */
  outside?: string
  /** Creates a temporary table, which belongs to its session. */
  temporary: boolean
}

/** The text is not exactly one statement. */
export class NotOneStatement extends Error {}

interface Word {
  upper: string
  text: string
  start: number
  end: number
  depth: number
}

const WORD = /[A-Za-z_][A-Za-z0-9_]*/y
const SPACE = /\s+/y
const PLACEHOLDER = /\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*:/y
const HEREDOC = /\$([A-Za-z0-9_]*)\$/y

/** @throws NotOneStatement when something follows a semicolon */
export function scan(sql: string): Statement {
  const words: Word[] = []
  const placeholders = new Set<string>()
  let depth = 0
  let end = sql.length
  let at = 0
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    return pattern.exec(sql)
  }

  while (at < sql.length) {
    const char = sql[at]!
    if (char === "'" || char === '"' || char === '`') {
      at = endOfQuoted(sql, at)
    } else if (char === '‘' || char === '“') {
      at = after(sql, char === '‘' ? '’' : '”', at + 1)
    } else if (char === '-' && sql[at + 1] === '-') {
      at = after(sql, '\n', at)
    } else if (char === '#' && (sql[at + 1] === ' ' || sql[at + 1] === '!')) {
      at = after(sql, '\n', at)
    } else if (char === '/' && sql[at + 1] === '*') {
      at = after(sql, '*/', at + 2)
    } else if (char === '$') {
      const tag = match(HEREDOC)
      at = tag ? after(sql, tag[0], at + tag[0].length) : at + 1
    } else if (char === '{') {
      const name = match(PLACEHOLDER)
      if (name) placeholders.add(name[1]!)
      at++
    } else if (char === ';') {
      if (isBlank(sql, at + 1)) {
        end = at
        break
      }
      throw new NotOneStatement(`Multi-statements are not allowed: failed at position ${at + 1}`)
    } else if (char === '(' || char === ')') {
      depth += char === '(' ? 1 : -1
      at++
    } else {
      const word = match(WORD)
      if (word) {
        at += word[0].length
        words.push({ upper: word[0].toUpperCase(), text: word[0], start: at - word[0].length, end: at, depth })
        if (words[0]!.upper === 'INSERT' && isFormatName(words)) {
          const data = inlineData(sql, at)
          if (data !== undefined) return describe(sql, at, words, placeholders, data)
        }
      } else {
        const digits = /[0-9]+[A-Za-z0-9_.]*/y
        at = match(SPACE) ? SPACE.lastIndex : match(digits) ? digits.lastIndex : at + 1
      }
    }
  }
  return describe(sql, end, words, placeholders)
}

function describe(
  sql: string,
  end: number,
  words: Word[],
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
    outside: outsideOf(sql, words),
    temporary:
      kind === 'CREATE' && words.slice(1, 4).some((word) => word.upper === 'TEMPORARY' || word.upper === 'TEMP'),
  }
}

/**
 * Functions and table engines that open files or connections. The store's process has all rights of its user; a query
 * must not use them.
 */
const OUTSIDE = new RegExp(
  `^(${[
    'FILE|URL|S3|S3QUEUE|GCS|OSS|COSN|HDFS|AZURE\\w*|(FILE|URL|S3|HDFS)CLUSTER',
    'REMOTE|REMOTESECURE|MYSQL|POSTGRESQL|MONGODB|REDIS|SQLITE|ODBC|JDBC|ARROWFLIGHT|YTSAURUS',
    'EXECUTABLE\\w*|PYTHON|KAFKA|NATS|RABBITMQ',
    'ICEBERG\\w*|DELTALAKE\\w*|HUDI\\w*|PAIMON\\w*',
  ].join('|')})$`,
)

function outsideOf(sql: string, words: Word[]): string | undefined {
  const index = words.findIndex((word, at) => reachesOut(sql, word, words[at - 1]))
  if (index < 0) return undefined
  return words[index]!.upper === 'QUERY_LOG' ? 'system.query_log' : words[index]!.text
}

function reachesOut(sql: string, word: Word, before: Word | undefined): boolean {
  // The engine keeps no log of queries; "unknown table" would not say why.
  if (word.upper === 'QUERY_LOG') return before?.upper === 'SYSTEM' && sql[word.start - 1] === '.'
  if (word.upper === 'INFILE') return before?.upper === 'FROM'
  if (word.upper === 'OUTFILE') return before?.upper === 'INTO'
  return OUTSIDE.test(word.upper) && /^\s*\(/.test(sql.slice(word.end, word.end + 100))
}

/** Only `INSERT INTO t [(columns)] [SETTINGS ...] FORMAT x` takes data; one with SELECT or VALUES contains its own. */
function infileOffset(top: Word[], formatAt: number): number | undefined {
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

function isFormatName(words: Word[]): boolean {
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

/** Quoted text ends at the same quote; a backslash escapes, a doubled quote is a literal one. */
function endOfQuoted(sql: string, start: number): number {
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

function after(sql: string, mark: string, from: number): number {
  const found = sql.indexOf(mark, from)
  return found < 0 ? sql.length : found + mark.length
}

/** Whether only blanks, semicolons and comments follow. */
function isBlank(sql: string, from: number): boolean {
  let at = from
  while (at < sql.length) {
    if (/[\s;]/.test(sql[at]!)) at++
    else if (sql.startsWith('--', at) || sql.startsWith('# ', at) || sql.startsWith('#!', at)) at = after(sql, '\n', at)
    else if (sql.startsWith('/*', at)) at = after(sql, '*/', at + 2)
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
