import type { Statement } from './sql_scanner.js'
import type { Token } from './sql_tokens.js'

/**
 * What keeps a statement inside the database. The store's process has all rights of its user, so a statement must open
 * no file, no connection and no program, and must not raise the limits of its session. The fence looks at names and
 * keywords, never at text, and knows what is allowed: what a later engine adds is refused until it is listed here.
 */
export interface Fence {
  /** Names of the engine's table functions, lower case. */
  tableFunctions: ReadonlySet<string>
  /** Settings that a statement may lower but not raise, with the most that it may ask for. */
  ceilings: ReadonlyMap<string, number>
}

const upperSet = (names: string): ReadonlySet<string> => new Set(names.split(/\s+/).map((name) => name.toUpperCase()))

const STATEMENTS = upperSet(`
  SELECT WITH SHOW DESCRIBE DESC EXPLAIN EXISTS CHECK VALUES FROM
  INSERT CREATE DROP ALTER RENAME EXCHANGE TRUNCATE OPTIMIZE DELETE UPDATE UNDROP KILL SET USE`)
/** Statements that the store refuses by name; any other first word is a syntax error. */
const REFUSED = upperSet(`
  ATTACH DETACH BACKUP RESTORE SYSTEM GRANT REVOKE MOVE REPLACE EXECUTE PREPARE DEALLOCATE BEGIN COMMIT ROLLBACK
  COPY WATCH PARALLEL ANALYZE`)
/** What may be created. A dictionary, a function or a named collection reaches out of the database. */
const CREATED = upperSet('TABLE VIEW MATERIALIZED DATABASE')
const BEFORE_CREATED = upperSet('OR REPLACE TEMPORARY TEMP')
/** They compute, or read tables of this store. */
const TABLE_FUNCTIONS = upperSet(`
  numbers numbers_mt zeros zeros_mt primes generateSeries generate_series generateRandom values SQLStandardValues null
  view viewIfPermitted merge format input dictionary mergeTreeIndex mergeTreeProjection`)
/** They reach out of the database whether or not the engine lists them as table functions. */
const FUNCTIONS_OUTSIDE = new RegExp(
  `^(${[
    'FILE|FILESYSTEM|URL|S3|S3QUEUE|GCS|OSS|COSN|HDFS|AZURE\\w*|(FILE|URL|S3|HDFS)CLUSTER',
    'REMOTE|REMOTESECURE|CLUSTER|CLUSTERALLREPLICAS|MYSQL|POSTGRESQL|MONGODB|REDIS|SQLITE|ODBC|JDBC',
    'ARROWFLIGHT|ARROWSTREAM|YTSAURUS|KAFKA|NATS|RABBITMQ|EXECUTABLE\\w*|PYTHON|EVAL|LOOP|DISK',
    'ICEBERG\\w*|DELTALAKE\\w*|HUDI\\w*|PAIMON\\w*|CATBOOSTEVALUATE|MODELEVALUATE|AI[A-Z]+',
  ].join('|')})$`,
)
/**
 * Table engines and database engines that keep their data in the folder of the store, or none. Distributed reaches only
 * clusters of the store's own configuration, which has none but itself.
 */
const ENGINES = upperSet(`
  MergeTree ReplacingMergeTree SummingMergeTree AggregatingMergeTree CollapsingMergeTree CoalescingMergeTree
  VersionedCollapsingMergeTree Memory Null Set Join Log TinyLog StripeLog View MaterializedView
  GenerateRandom Atomic Distributed`)
/** Settings that name files, switch limits off or break what the store does with its sessions. */
const SETTINGS_OUTSIDE = new RegExp(
  `^(${[
    'log_comment|max_query_size|implicit_select|allow_introspection_functions|profile',
    'format_schema\\w*|format_template_\\w+|\\w*proxy\\w*|disk|storage_policy',
  ].join('|')})$`,
  'i',
)

/** Whether a client may set it, in a statement or in the address of a request. */
export const isSettingAllowed = (name: string): boolean => !SETTINGS_OUTSIDE.test(name)

/** Whether a statement begins with a word that begins none. */
export const isNoStatement = (kind: string): boolean => kind !== '' && !STATEMENTS.has(kind) && !REFUSED.has(kind)

/**
 * @param params of the request, which a statement may name as identifiers
 * @returns the word of the statement that the store does not give; undefined when it gives all of them
 */
export function outsideOf(
  { kind, tokens }: Pick<Statement, 'kind' | 'tokens'>,
  fence: Fence,
  params: ReadonlyMap<string, string> = new Map(),
): string | undefined {
  if (kind === '') return undefined
  if (!STATEMENTS.has(kind)) return kind
  const created = kind === 'CREATE' ? firstAfter(tokens, BEFORE_CREATED) : undefined
  if (kind === 'CREATE' && !CREATED.has(created?.upper ?? '')) return `CREATE ${created?.text ?? ''}`.trim()
  const path = pathAsTable(tokens, params)
  if (path !== undefined) return path
  const setsFrom = kind === 'SET' ? 0 : tokens.findIndex((token) => isWord(token, 'SETTINGS'))
  for (const [at, token] of tokens.entries()) {
    const before = tokens[at - 1]
    const found =
      calledOutside(token, fence) ??
      fileClause(token, before) ??
      (kind === 'CREATE' ? engineOutside(token, tokens[at + 1]) : undefined) ??
      (setsFrom >= 0 && at > setsFrom ? settingOutside(token, tokens[at + 1], fence) : undefined)
    if (found !== undefined) return found
  }
  return undefined
}

/** A file can stand where a table can: the engine reads `FROM '/etc/passwd'`, quoted either way, and as a parameter. */
const BEFORE_TABLE = upperSet('FROM JOIN TABLE INTO DESCRIBE DESC EXISTS')
const CLAUSES = upperSet(`
  SELECT FROM JOIN WHERE PREWHERE ON USING GROUP ORDER HAVING QUALIFY WINDOW LIMIT SETTINGS FORMAT UNION WITH VALUES
  SET`)

function pathAsTable(tokens: readonly Token[], params: ReadonlyMap<string, string>): string | undefined {
  if (tokens.some((token) => isWord(token, 'IDENTIFIER')) && [...params.values()].some((value) => value.includes('/')))
    return 'a path as an identifier'
  const clauses: string[] = []
  for (const [at, token] of tokens.entries()) {
    const before = tokens[at - 1]
    if (token.kind === 'word' && CLAUSES.has(token.upper)) clauses[token.depth] = token.upper
    if (!token.text.includes('/')) continue
    if (token.kind === 'name') return 'a path as a name'
    if (token.kind !== 'text' || !before) continue
    const listed = before.next === ',' && ['FROM', 'JOIN'].includes(clauses[before.depth] ?? '')
    if (listed || (before.kind === 'word' && BEFORE_TABLE.has(before.upper))) return 'a path as a table'
  }
  return undefined
}

const isWord = (token: Token | undefined, upper: string): boolean => token?.kind === 'word' && token.upper === upper
const isName = (token: Token | undefined): token is Token => token?.kind === 'word' || token?.kind === 'name'

function firstAfter(tokens: readonly Token[], passed: ReadonlySet<string>): Token | undefined {
  return tokens.slice(1).find((token) => token.kind !== 'word' || !passed.has(token.upper))
}

function calledOutside(token: Token, { tableFunctions }: Fence): string | undefined {
  if (!isName(token) || token.next !== '(') return undefined
  const listed = tableFunctions.has(token.text.toLowerCase()) && !TABLE_FUNCTIONS.has(token.upper)
  return listed || FUNCTIONS_OUTSIDE.test(token.upper) ? token.text : undefined
}

function fileClause(token: Token, before: Token | undefined): string | undefined {
  if (isWord(token, 'INFILE') && isWord(before, 'FROM')) return token.text
  if (isWord(token, 'OUTFILE') && isWord(before, 'INTO')) return token.text
  // The engine runs several statements in one, and each could be anything.
  if (isWord(token, 'WITH') && isWord(before, 'PARALLEL')) return 'PARALLEL WITH'
  // The engine keeps no log of queries; "unknown table" would not say why.
  if (isName(token) && token.upper === 'QUERY_LOG' && before?.upper === 'SYSTEM' && before.next === '.')
    return 'system.query_log'
  return undefined
}

/** Of `ENGINE [=] name`. A column of that name has a type behind it, or stands in parentheses. */
function engineOutside(token: Token, following: Token | undefined): string | undefined {
  if (!isWord(token, 'ENGINE') || token.depth > 0 || !isName(following)) return undefined
  if (token.next !== '=' && token.next !== '') return undefined
  if (token.next === '' && isWord(following, 'FROM')) return undefined
  return ENGINES.has(following.upper) ? undefined : following.text
}

function settingOutside(token: Token, value: Token | undefined, { ceilings }: Fence): string | undefined {
  if (!isName(token)) return undefined
  const name = token.text.toLowerCase()
  // A name that something else may bear is a setting only where a value follows.
  if (!isSettingAllowed(name)) return token.next === '=' || name.length > 8 ? `the setting ${token.text}` : undefined
  const ceiling = ceilings.get(name)
  if (ceiling === undefined) return undefined
  const asked = token.next === '=' && value?.kind === 'number' ? Number(value.text) : Number.NaN
  const lower = asked > 0 && asked <= ceiling && value!.next !== '.'
  return lower ? undefined : `the setting ${token.text} above ${ceiling}`
}
