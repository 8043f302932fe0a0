import t from 'tap'
import fc from 'fast-check'
import { outsideOf } from '../../../engine/chdb/fence.js'
import { scan } from '../../../engine/chdb/sql_scanner.js'

const fence = {
  tableFunctions: new Set(['file', 'numbers', 'view', 'added_later']),
  ceilings: new Map([['max_memory_usage', 1_000]]),
}
const outside = (sql: string, params: Record<string, string> = {}) =>
  outsideOf(scan(sql), fence, new Map(Object.entries(params)))

t.test('files, hosts, programs and raised limits are refused in each spelling', async (t) => {
  for (const [sql, word] of [
    ["SELECT 1 INTO OUTFILE 'x'", 'OUTFILE'],
    ["SELECT 1 INTO/**/\n\tOUTFILE 'x'", 'OUTFILE'],
    ["INSERT INTO t FROM INFILE 'x' FORMAT CSV", 'INFILE'],
    ["SELECT * FROM file('/etc/passwd')", 'file'],
    [`SELECT file${' '.repeat(500)}('x')`, 'file'],
    ["SELECT * FROM file/**/('x')", 'file'],
    ["SELECT * FROM file/* /* */ */('x')", 'file'],
    ["SELECT /* /* */ ' */ * FROM file('x') -- '", 'file'],
    ["SELECT * FROM file-- x\n('x')", 'file'],
    ["SELECT * FROM file# x\n('x')", 'file'],
    ["SELECT * FROM file\u2003\u00a0\u200b('x')", 'file'],
    ["SELECT * FROM `file`('x')", 'file'],
    ['SELECT * FROM "file"(\'x\')', 'file'],
    ["SELECT * FROM “file”('x')", 'file'],
    ["SELECT * FROM `fil\\x65`('x')", 'file'],
    ["SELECT * FROM FiLe('x')", 'FiLe'],
    ["SELECT * FROM icebergLocal('x')", 'icebergLocal'],
    ["SELECT * FROM eval('SELECT 1')", 'eval'],
    ["SELECT * FROM added_later('x')", 'added_later'],
    ["DESCRIBE TABLE url('http://x')", 'url'],
    ["INSERT INTO FUNCTION remote('x', a.b) VALUES (1)", 'remote'],
    ["CREATE TABLE x (a Int8) ENGINE = URL('http://x')", 'URL'],
    ["CREATE TABLE x (a Int8) ENGINE/**/=/**/`URL`('http://x')", 'URL'],
    ['CREATE TABLE x (a Int8) ENGINE File(CSV)', 'File'],
    ["CREATE TABLE x (a Int8) ENGINE = Buffer('default', '/etc/passwd', 1, 1, 1, 1, 1, 1, 1)", 'Buffer'],
    ["CREATE DATABASE x ENGINE = Filesystem('/etc')", 'Filesystem'],
    ['CREATE OR REPLACE DICTIONARY d (a String) PRIMARY KEY a SOURCE(NULL())', 'CREATE DICTIONARY'],
    ['CREATE FUNCTION f AS (x) -> x', 'CREATE FUNCTION'],
    ["CREATE NAMED COLLECTION c AS url = 'http://x'", 'CREATE NAMED'],
    ["CREATE TABLE x (a Int8) ENGINE = MergeTree ORDER BY a SETTINGS disk = disk(type = 's3')", 'the setting disk'],
    ['BACKUP DATABASE x TO File(1)', 'BACKUP'],
    ["ATTACH TABLE x FROM '/etc' (a Int8) ENGINE = MergeTree", 'ATTACH'],
    ['SYSTEM SHUTDOWN', 'SYSTEM'],
    ['DROP TABLE a PARALLEL WITH DROP TABLE b', 'PARALLEL WITH'],
    ['SELECT * FROM system . /**/ query_log', 'system.query_log'],
    ["SELECT * FROM '/etc/passwd'", 'a path as a table'],
    ["SELECT * FROM ('/etc/passwd')", 'a path as a table'],
    ["SELECT * FROM t, '/etc/passwd'", 'a path as a table'],
    ['SELECT * FROM t JOIN $$/etc/passwd$$ ON 1', 'a path as a table'],
    ["DESCRIBE '/etc/passwd'", 'a path as a table'],
    ['SELECT * FROM `/etc/passwd`', 'a path as a name'],
    ['SELECT * FROM default."\\x2fetc\\x2fpasswd"', 'a path as a name'],
    ['SELECT 1 SETTINGS max_memory_usage = 0', 'the setting max_memory_usage above 1000'],
    ['SELECT 1 SETTINGS `max_memory_usage` = 1001', 'the setting max_memory_usage above 1000'],
    ['SET max_memory_usage = DEFAULT', 'the setting max_memory_usage above 1000'],
    ['SET max_threads = 1, max_memory_usage = {x:UInt64}', 'the setting max_memory_usage above 1000'],
    ["SELECT 1 SETTINGS format_schema = 'a:b'", 'the setting format_schema'],
    ["SET log_comment = 'x'", 'the setting log_comment'],
  ] as const)
    t.equal(outside(sql), word, sql)
  t.equal(outside('SELECT * FROM {f:Identifier}', { f: '/etc/passwd' }), 'a path as an identifier')
  t.equal(outside('SELECT * FROM {f/**/:Identifier}', { f: '/etc/passwd' }), 'a path as an identifier')
})

t.test('what stays inside is let through', async (t) => {
  for (const sql of [
    "SELECT 'INTO OUTFILE'",
    "SELECT 'file(1)', '/etc/passwd', a IN ('/x', '/y') FROM t WHERE b = '/z'",
    'SELECT 1 -- file(1)',
    'SELECT file, url FROM t',
    'SELECT remote_files(1)',
    'INSERT INTO files (file) VALUES (1)',
    'SELECT engine FROM system.tables',
    'SELECT * FROM (SELECT number FROM numbers(3))',
    'SELECT 1 SETTINGS max_memory_usage = 1000, max_threads = 1',
    'CREATE DATABASE IF NOT EXISTS x ENGINE = Atomic',
    'CREATE TABLE x (engine String, a Int8) ENGINE = MergeTree ORDER BY a',
    'CREATE TEMPORARY TABLE x (a Int8)',
    'CREATE MATERIALIZED VIEW IF NOT EXISTS a.b TO a.c AS SELECT engine FROM a.d',
    'CREATE OR REPLACE VIEW v AS SELECT 1',
    'EXCHANGE TABLES a AND b',
    '',
  ])
    t.equal(outside(sql), undefined, sql)
  t.equal(outside('SELECT {f:String}', { f: '/etc/passwd' }), undefined)
})

t.test('no blanks, comments, quotes or letters of another case hide a call', async (t) => {
  const filler = fc.constantFrom(' ', '\t', '\n', '\v', '\f', '\u00a0', '\u2003', '\u3000', '\u200b', '/**/', '/*(*/')
  const comment = fc.constantFrom('-- (\n', '# `\n', '#!"\n', '/* \' /* " */ ` */', '/* */')
  const between = fc.array(fc.oneof(filler, comment), { maxLength: 20 }).map((parts) => parts.join(''))
  const name = fc.constantFrom('file', 'url', 's3', 'remote', 'executable', 'added_later')
  const spelled = fc.tuple(name, fc.infiniteStream(fc.nat(3))).map(([text, choice]) => {
    const pick = () => choice.next().value as number
    const cased = [...text].map((char) => (pick() === 0 ? char.toUpperCase() : char)).join('')
    const escaped = () =>
      [...cased].map((char) => (pick() === 0 ? `\\x${char.charCodeAt(0).toString(16)}` : char)).join('')
    return [cased, `\`${escaped()}\``, `"${escaped()}"`, `“${cased}”`][pick()]!
  })
  const head = fc.constantFrom('SELECT * FROM ', "SELECT 'it''s', \"a\\\"\" FROM ", 'INSERT INTO FUNCTION ', 'DESC ')
  fc.assert(
    fc.property(head, spelled, between, between, (begin, call, gap, more) => {
      t.not(outside(`${begin}${more} ${call}${gap}('x')`), undefined)
    }),
    { numRuns: 500 },
  )
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      try {
        outside(text)
        outside(`SELECT ${text}`)
      } catch (error) {
        t.match(error, { message: /Multi-statements/ })
      }
    }),
    { numRuns: 500 },
  )
})
