import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import fc from 'fast-check'
import { ClickHouseError, createClient } from '@clickhouse/client'
import { STREAMED, type ClickHouseClient } from '../../../engine/store/client.js'
import { runningQueries } from '../../servers/running_queries.js'
import { startTestStore, type TestStore } from '../../servers/store.js'
import { until } from '../../until.js'

t.setTimeout(240_000)

/** A plain HTTP request, without the ClickHouse client. */
const raw = (store: TestStore, path: string, init: RequestInit & { duplex?: 'half' } = {}) =>
  fetch(`${store.url}${path}`, {
    method: 'POST',
    ...init,
    headers: { 'X-ClickHouse-User': 'default', 'X-ClickHouse-Key': store.token, ...init.headers },
  })

const rowsOf = async (client: ClickHouseClient, query: string, more: object = {}) =>
  (await client.query({ query, format: 'JSONEachRow', ...more })).json<any>()
const failureOf = (work: Promise<unknown>): Promise<any> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  )

t.test('the store speaks ClickHouse to @clickhouse/client', async (t) => {
  const store = await startTestStore(t)
  const { client } = store
  const gone = (part: string) => until(async () => (await runningQueries(client, part)) === 0)
  await client.command({ query: 'CREATE DATABASE w ENGINE = Atomic' })

  t.test('a result has the id of its query, and 64-bit numbers keep their digits', async (t) => {
    const result = await client.query({
      query: 'SELECT 1 AS one, toUInt64(18446744073709551615) AS big',
      format: 'JSONEachRow',
      query_id: 'my-id',
    })
    t.equal(result.query_id, 'my-id')
    t.equal(result.response_headers['x-clickhouse-query-id'], 'my-id')
    t.same(await result.json(), [{ one: 1, big: '18446744073709551615' }])
  })

  t.test('ping works with and without a query', async (t) => {
    t.equal((await client.ping()).success, true)
    t.equal((await client.ping({ select: true })).success, true)
  })

  t.test('errors are ClickHouseErrors with code and type', async (t) => {
    const cases: [string, string, string][] = [
      ['SELECT * FROM nowhere', '60', 'UNKNOWN_TABLE'],
      ['SELECT FROM WHERE', '62', 'SYNTAX_ERROR'],
      ['SELEC', '62', 'SYNTAX_ERROR'],
      ['SELECT 1; SELECT 2', '62', 'SYNTAX_ERROR'],
      ['SELECT {x:UInt8}', '456', 'UNKNOWN_QUERY_PARAMETER'],
      ['SELECT throwIf(number = 3) FROM numbers(10)', '395', 'FUNCTION_THROW_IF_VALUE_IS_NON_ZERO'],
      ['SELECT nosuch(1)', '46', 'UNKNOWN_FUNCTION'],
      ["SELECT 1 INTO OUTFILE '/tmp/x'", '48', 'NOT_IMPLEMENTED'],
      ["INSERT INTO w.t FROM INFILE '/etc/passwd' FORMAT CSV", '48', 'NOT_IMPLEMENTED'],
      ["SELECT * FROM file('/etc/passwd', LineAsString)", '48', 'NOT_IMPLEMENTED'],
      ["SELECT * FROM `fil\\x65`/**/('/etc/passwd', LineAsString)", '48', 'NOT_IMPLEMENTED'],
      ['SELECT * FROM "/etc/passwd"', '48', 'NOT_IMPLEMENTED'],
      ["SELECT * FROM redis('127.0.0.1:1', 'key', 'key String')", '48', 'NOT_IMPLEMENTED'],
      ['SELECT 1 SETTINGS max_memory_usage = 0', '48', 'NOT_IMPLEMENTED'],
      ['SELECT groupArray(number) FROM numbers(1000000000)', '241', 'MEMORY_LIMIT_EXCEEDED'],
      ['', '62', 'SYNTAX_ERROR'],
    ]
    for (const [query, code, type] of cases) {
      const error = await failureOf(client.exec({ query, clickhouse_settings: { max_memory_usage: '100000000' } }))
      t.ok(error instanceof ClickHouseError, `${query}: ${error?.message}`)
      t.match(error, { code, type }, query)
    }
    t.match(await failureOf(client.command({ query: 'SELECT 1', clickhouse_settings: { nosuch: 1 } as never })), {
      code: '115',
      type: 'UNKNOWN_SETTING',
    })
    t.match(
      await failureOf(client.command({ query: 'SELECT 1', clickhouse_settings: { max_threads: 'many' } as never })),
      { name: 'Error' },
      'a value of the wrong type',
    )
    t.match(await failureOf(client.command({ query: 'SELECT 1', session_id: 's' })), { code: '48' })
    t.same(await rowsOf(client, 'SELECT 1 AS x'), [{ x: 1 }], 'the store continues')
  })

  t.test('any parameter value arrives unchanged', async (t) => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.string({
        unit: fc.constantFrom('\\', "'", '\t', '\n', '\r', '\0', '"', '`', '{', '}', ';', '--', '\b', 'N', 'x', '%'),
      }),
    )
    await fc.assert(
      fc.asyncProperty(text, fc.array(text, { maxLength: 4 }), async (one, many) => {
        t.same(
          await rowsOf(client, 'SELECT {one:String} AS one, {many:Array(String)} AS many', {
            query_params: { one, many },
          }),
          [{ one, many }],
        )
      }),
      { numRuns: 60 },
    )
    t.same(
      await rowsOf(
        client,
        'SELECT {n:Nullable(String)} AS n, {t:DateTime64(3)} AS t, {m:Map(String, UInt8)} AS m, ' +
          '{i:Identifier} FROM numbers(2, 1)',
        { query_params: { n: null, t: new Date(1_700_000_000_123), m: { a: 1 }, i: 'number' } },
      ),
      [{ n: null, t: '2023-11-14T22:13:20.123Z', m: { a: 1 }, number: '2' }],
    )
    const long = 'x'.repeat(300_000)
    t.same(
      await rowsOf(client, 'SELECT length({long:String}) AS n', { query_params: { long } }),
      [{ n: '300000' }],
      'in the URL',
    )
    t.same(
      await rowsOf(client, 'SELECT length({long:String}) AS n', {
        query_params: { long: `${long}\r\n--x` },
        use_multipart_params: true,
      }),
      [{ n: '300005' }],
      'as a form',
    )
  })

  t.test('parameters, settings and temporary tables do not leak into the next query', async (t) => {
    const ask = async (query: string) =>
      Promise.all(
        Array.from({ length: 16 }, () =>
          failureOf(rowsOf(client, query)).then((error) => error ?? rowsOf(client, query)),
        ),
      )
    await client.command({
      query: 'SELECT {leak:String}',
      query_params: { leak: 'secret' },
      clickhouse_settings: { max_threads: 7 },
    })
    await client.command({ query: 'SET max_threads = 7' })
    await client.command({ query: 'USE system' })
    await client.command({ query: 'CREATE TEMPORARY TABLE leak (x UInt8)' })
    await failureOf(client.command({ query: 'SELECT throwIf(1)', clickhouse_settings: { max_threads: 7 } }))
    for (const error of await ask('SELECT {leak:String}')) t.match(error, { code: '456' })
    for (const rows of await ask("SELECT getSetting('max_threads') != 7 AS ok, currentDatabase() AS database"))
      t.same(rows, [{ ok: true, database: 'default' }])
    for (const error of await ask('SELECT * FROM leak')) t.match(error, { code: '60' })
  })

  t.test('a client cannot raise or remove its memory limit', async (t) => {
    for (const value of ['0', '9999999999999'])
      t.same(
        await rowsOf(client, "SELECT getSetting('max_memory_usage') AS m", {
          clickhouse_settings: { max_memory_usage: value },
        }),
        [{ m: '2147483648' }],
      )
    t.same(
      await rowsOf(client, "SELECT getSetting('max_memory_usage') AS m", {
        clickhouse_settings: { max_memory_usage: '300000000' },
      }),
      [{ m: '300000000' }],
    )
    t.same(
      await rowsOf(client, "SELECT getSetting('max_memory_usage_for_user') AS m", {
        clickhouse_settings: { max_memory_usage_for_user: '0' },
      }),
      [{ m: '4294967296' }],
      'nor that of all queries together',
    )
  })

  t.test('inserts in JSON, CSV, VALUES and RowBinary keep every byte', async (t) => {
    await client.command({ query: 'CREATE TABLE w.bytes (id UInt32, data String) ENGINE = MergeTree ORDER BY id' })
    await client.insert({ table: 'w.bytes', values: [{ id: 1, data: 'ä\t"\\\n' }], format: 'JSONEachRow' })
    await client.insert({
      table: 'w.bytes',
      values: Readable.from(['2,"b;c"\n'], { objectMode: false }),
      format: 'CSV',
    })
    await client.command({ query: "INSERT INTO w.bytes VALUES (3, 'x;y'), (4, '--no')" })
    await client.command({ query: 'INSERT INTO w.bytes FORMAT JSONEachRow\n{"id":5,"data":"; DROP TABLE w.bytes"}' })
    await client.command({ query: 'INSERT INTO w.bytes SETTINGS max_threads = 1 FORMAT TSV\n6\tsix\n' })
    const every = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
    const row = Buffer.concat([Buffer.from([7, 0, 0, 0, 0x80, 0x02]), every])
    const inserted = await client.exec({
      query: 'INSERT INTO w.bytes (id, data) FORMAT RowBinary',
      values: Readable.from([row], { objectMode: false }),
    })
    inserted.stream.resume()
    const answer = await client.exec({ query: 'SELECT id, data FROM w.bytes WHERE id = 7 FORMAT RowBinary' })
    t.same(Buffer.concat(await answer.stream.toArray()), row)
    t.same(await rowsOf(client, 'SELECT id, data FROM w.bytes WHERE id < 7 ORDER BY id'), [
      { id: 1, data: 'ä\t"\\\n' },
      { id: 2, data: 'b;c' },
      { id: 3, data: 'x;y' },
      { id: 4, data: '--no' },
      { id: 5, data: '; DROP TABLE w.bytes' },
      { id: 6, data: 'six' },
    ])
    t.equal(
      (await raw(store, `/?query=${encodeURIComponent('INSERT INTO w.bytes FORMAT CSV')}`, { body: '' })).status,
      200,
      'no rows',
    )
    t.equal((await raw(store, '/', { body: 'INSERT INTO w.bytes FORMAT CSV' })).status, 200)
    t.equal((await raw(store, '/', { body: 'INSERT INTO nowhere FORMAT CSV' })).status, 404)
    t.match(await failureOf(client.insert({ table: 'w.bytes', values: ['{"id":'], format: 'JSONEachRow' })), {
      name: 'Error',
    })
    t.match(
      await failureOf(
        client.exec({
          query: 'INSERT INTO w.bytes FORMAT RowBinary',
          values: Readable.from([Buffer.from('cut')], { objectMode: false }),
        }),
      ),
      { code: '33', type: 'CANNOT_READ_ALL_DATA' },
    )
  })

  t.test('gzip works in both directions, and damaged gzip is only an error', async (t) => {
    const zipped = createClient({
      url: store.url,
      password: store.token,
      compression: { request: true, response: true },
    })
    t.teardown(() => zipped.close())
    await client.command({ query: 'CREATE TABLE w.gz (x UInt64) ENGINE = MergeTree ORDER BY x' })
    await zipped.insert({
      table: 'w.gz',
      values: Array.from({ length: 1_000 }, (_, x) => ({ x })),
      format: 'JSONEachRow',
    })
    const result = await zipped.query({ query: 'SELECT x FROM w.gz ORDER BY x', format: 'JSONEachRow' })
    t.equal(result.response_headers['content-encoding'], 'gzip')
    t.equal((await result.json()).length, 1_000)
    t.match(await failureOf(zipped.query({ query: 'SELECT * FROM nowhere' })), { code: '60' })

    const path = `/?query=${encodeURIComponent('INSERT INTO w.gz FORMAT TSV')}`
    const good = gzipSync('1\n2\n')
    for (const body of [
      Buffer.from('not gzip at all'),
      good.subarray(0, good.length - 6),
      Buffer.concat([good.subarray(0, 12), Buffer.alloc(20)]),
    ]) {
      const response = await raw(store, path, { body, headers: { 'Content-Encoding': 'gzip' } })
      t.equal(response.status, 400)
      t.equal(response.headers.get('x-clickhouse-exception-code'), '354', await response.text())
    }
    t.equal((await raw(store, path, { body: '1\n', headers: { 'Content-Encoding': 'lzma' } })).status, 400)
    t.same(await rowsOf(client, 'SELECT count() AS n FROM w.gz'), [{ n: '1000' }])
  })

  t.test('a request needs the token in a header', async (t) => {
    for (const password of ['', 'wrong', `${store.token}x`]) {
      const stranger = createClient({ url: store.url, password })
      t.match(await failureOf(stranger.query({ query: 'SELECT 1' })), { code: '516', type: 'AUTHENTICATION_FAILED' })
      await stranger.close()
    }
    t.equal((await raw(store, '/?query=SELECT%201')).status, 200, 'by header')
    t.equal((await raw(store, '/?query=SELECT%201', { headers: { 'X-ClickHouse-User': 'root' } })).status, 403)
    const response = await fetch(`${store.url}/?query=SELECT%201&user=default&password=${store.token}`)
    t.equal(response.status, 403, 'not in the URL')
    t.equal((await fetch(`${store.url}/ping`)).status, 200)
  })

  t.test('GET can read but not change', async (t) => {
    t.equal(await (await raw(store, '/?query=SELECT%201', { method: 'GET' })).text(), '1\n')
    t.equal((await raw(store, '/?query=DROP%20DATABASE%20w', { method: 'GET' })).status, 403)
    t.equal((await raw(store, '/?query=SELECT%201', { method: 'PUT', body: 'x' })).status, 501)
  })

  t.test('large results are streamed in order, with no character split', async (t) => {
    const rows = 300_000
    const result = await client.query({
      query: `SELECT number, concat('ö', toString(number)) AS text FROM numbers(${rows})`,
      format: 'JSONEachRow',
      clickhouse_settings: STREAMED,
    })
    let seen = 0
    for await (const some of result.stream<{ number: string; text: string }>()) {
      for (const row of some) {
        const { number, text } = row.json()
        if (Number(number) !== seen || text !== `ö${seen}`) return t.fail(`row ${seen} is ${row.text}`)
        seen++
      }
    }
    t.equal(seen, rows)
    const empty = await client.query({
      query: 'SELECT number FROM numbers(0)',
      format: 'JSONEachRow',
      clickhouse_settings: STREAMED,
    })
    t.same(await empty.json(), [])
    t.match(
      await failureOf(
        client.query({ query: 'SELECT * FROM nowhere', format: 'JSONEachRow', clickhouse_settings: STREAMED }),
      ),
      { code: '60' },
      'an error before the first row',
    )
    const late = await client.query({
      query: 'SELECT throwIf(number = 3000000) FROM numbers(4000000)',
      format: 'CSV',
      clickhouse_settings: STREAMED,
    })
    t.ok(await failureOf(late.text()), 'a later error truncates the result')
    const zipped = await raw(store, '/?wait_end_of_query=0&enable_http_compression=1', {
      body: 'SELECT number FROM numbers(100000) FORMAT TSV',
      headers: { 'Accept-Encoding': 'gzip' },
    })
    t.equal((await zipped.text()).split('\n').length, 100_001)
  })

  t.test('a result that is too large to buffer is refused', async (t) => {
    t.match(
      await failureOf(
        client.query({
          query: 'SELECT randomString(1000) FROM numbers(10000)',
          format: 'CSV',
          clickhouse_settings: { max_result_bytes: '1000000' },
        }),
      ),
      { code: '396' },
    )
  })

  t.test('a slow reader slows the engine down instead of filling memory', async (t) => {
    const response = await raw(store, '/?wait_end_of_query=0', {
      body: "SELECT repeat('x', 1000) FROM numbers(2000000) FORMAT TSV",
    })
    const reader = response.body!.getReader()
    await reader.read()
    let read = { rows: 0, times: 0 }
    await until(async () => {
      const [{ rows }] = await rowsOf(
        client,
        "SELECT max(read_rows) AS rows FROM system.processes WHERE query LIKE '%repeat(%' AND query NOT LIKE " +
          "'%system.processes%'",
      )
      read = { rows: Number(rows), times: Number(rows) === read.rows ? read.times + 1 : 0 }
      return read.times === 20
    })
    t.ok(read.rows > 0 && read.rows < 1_000_000, `it stopped at ${read.rows} of 2000000 rows`)
    await reader.cancel()
    await gone('repeat(')
  })

  t.test('a client that aborts kills its query', async (t) => {
    const slow = 'SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1'
    const controller = new AbortController()
    const query = client.query({ query: slow, abort_signal: controller.signal })
    query.catch(() => {})
    await until(async () => (await runningQueries(client, slow)) === 1)
    controller.abort()
    t.ok(await failureOf(query))
    await gone(slow)

    const streaming = new AbortController()
    const stream = client.query({
      query: slow,
      format: 'TabSeparated',
      clickhouse_settings: STREAMED,
      abort_signal: streaming.signal,
    })
    const text = stream.then((result) => result.text())
    text.catch(() => {})
    await until(async () => (await runningQueries(client, slow)) === 1)
    streaming.abort()
    t.ok(await failureOf(text))
    await gone(slow)
  })

  t.test('an overload is refused early, and all accepted queries are answered', async (t) => {
    const many = await Promise.all(
      Array.from({ length: 400 }, () =>
        raw(store, '/', { body: 'SELECT sleep(0.01)' }).then(async (response) => ({
          status: response.status,
          text: await response.text(),
        })),
      ),
    )
    const refused = many.filter((one) => one.status === 503)
    t.equal(refused.length + many.filter((one) => one.status === 200).length, 400)
    for (const one of refused.slice(0, 3)) t.match(one.text, /^Code: 202\. .*\(TOO_MANY_SIMULTANEOUS_QUERIES\)/)
    t.comment(`${refused.length} of 400 refused`)
  })

  t.test('any statement gets a result or an exception, and the store continues', async (t) => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.string({
            unit: fc.constantFrom(
              "'",
              '"',
              '`',
              '\\',
              ';',
              '$a$',
              '{x:',
              '/*',
              '--',
              '(',
              ')',
              ' ',
              '\n',
              'SELECT',
              'INSERT INTO t ',
              'FORMAT ',
              'VALUES',
            ),
          }),
        ),
        async (sql) => {
          const response = await raw(store, '/', { body: sql })
          const text = await response.text()
          return response.status === 200
            ? !response.headers.has('x-clickhouse-exception-code')
            : text.startsWith(`Code: ${response.headers.get('x-clickhouse-exception-code')}. DB::Exception: `)
        },
      ),
      { numRuns: 150 },
    )
    t.equal((await raw(store, '/?param_a-b=1&query=SELECT%201')).status, 400)
    t.equal((await raw(store, `/?database=${encodeURIComponent('no`pe')}&query=SELECT%201`)).status, 404)
    t.equal((await raw(store, '/', { body: 'x'.repeat(17_000_000) })).status, 413)
    t.same(await rowsOf(client, 'SELECT 1 AS x'), [{ x: 1 }])
  })
})
