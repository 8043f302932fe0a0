import t from 'tap'
import { scan } from '../../../engine/chdb/sql_scanner.js'

t.test('quotes, comments and data do not split a statement; two statements are refused', async (t) => {
  const one = [
    'SELECT 1',
    'SELECT 1;',
    'SELECT 1 ; -- done\n',
    "SELECT ';'",
    'SELECT "a;b"',
    'SELECT `;`',
    "SELECT 'it''s; fine'",
    "SELECT 'a\\';b'",
    '/* ; */ SELECT 1',
    '/* /* */ ; */ SELECT 1',
    '-- ;\nSELECT 1',
    '# ;\nSELECT 1',
    'SELECT $$;$$',
    'SELECT $x$ ; $$ ; $x$',
    'SELECT ‘;’',
    "INSERT INTO t VALUES (1, ';')",
    'INSERT INTO t FORMAT CSV\n1;2\n3;4',
    ';',
    '',
  ]
  for (const sql of one) t.doesNotThrow(() => scan(sql), sql)
  for (const sql of [
    'SELECT 1; SELECT 2',
    'SELECT 1;;x',
    "SELECT 'a'; DROP TABLE t",
    'SELECT 1; /* x */ y',
    '; SELECT 1',
    "SELECT '\\\\'; DROP TABLE t",
    'SELECT $a$ $a$; x',
  ])
    t.throws(() => scan(sql), { message: /Multi-statements/ }, sql)
  t.equal(scan('SELECT 1 ; ').text, 'SELECT 1 ')
})

t.test('the kind of a statement is recognised', async (t) => {
  for (const [sql, kind] of [
    ['select 1', 'SELECT'],
    [' (SELECT 1)', 'SELECT'],
    ['-- x\n/* y */ WITH 1 AS a SELECT a', 'WITH'],
    ['', ''],
    ['-- only', ''],
    ['insert into t values (1)', 'INSERT'],
  ] as const)
    t.equal(scan(sql).kind, kind, sql)
  t.equal(scan('SELECT 1 FROM (SELECT 2)').nested, true)
  t.equal(scan("SELECT 'SELECT'").nested, false)
  t.equal(scan('CREATE OR REPLACE TEMPORARY TABLE x (a UInt8)').temporary, true)
  t.equal(scan('CREATE TABLE temporary_things (a UInt8)').temporary, false)
})

t.test('placeholders are found, except in quoted text', async (t) => {
  t.same(
    [
      ...scan("SELECT {a:String}, '{b:String}', { c : Array(UInt8)}, {'d':1}, /* {e:Int8} */ {f:Identifier}")
        .placeholders,
    ],
    ['a', 'c', 'f'],
  )
})

t.test('the format and the place of INFILE are found', async (t) => {
  t.equal(scan('SELECT 1 FORMAT JSONEachRow').format, 'JSONEachRow')
  t.equal(scan("SELECT format('x', 1)").format, undefined)
  const at = (sql: string) => {
    const { dataAt } = scan(sql)
    return dataAt === undefined ? undefined : sql.slice(dataAt)
  }
  t.equal(at('INSERT INTO t (a, b) FORMAT RowBinary'), 'FORMAT RowBinary')
  t.equal(at('INSERT INTO t SETTINGS a = 1 FORMAT CSV'), 'SETTINGS a = 1 FORMAT CSV')
  t.equal(at('INSERT INTO settings (format) FORMAT CSV'), 'FORMAT CSV')
  t.equal(at('INSERT INTO t SELECT 1 FORMAT CSV'), undefined)
  t.equal(at('INSERT INTO t VALUES (1)'), undefined)
  t.equal(at('SELECT 1 FORMAT CSV'), undefined)
})

t.test('inline data after the statement is found', async (t) => {
  const data = (sql: string) => {
    const { inlineDataAt } = scan(sql)
    return inlineDataAt === undefined ? undefined : sql.slice(inlineDataAt)
  }
  t.equal(data('INSERT INTO t FORMAT CSV\n1;2\n'), '1;2\n')
  t.equal(data('INSERT INTO t FORMAT JSONEachRow {"a":1}'), '{"a":1}')
  t.equal(data('INSERT INTO t FORMAT CSV'), undefined)
  t.equal(data('INSERT INTO t FORMAT CSV ;'), undefined)
  t.equal(data('INSERT INTO t SELECT 1 FORMAT CSV\n'), undefined)
})
