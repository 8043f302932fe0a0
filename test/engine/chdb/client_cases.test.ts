import { createReadStream, createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectSocket } from 'node:net'
import { Readable } from 'node:stream'
import { gunzipSync } from 'node:zlib'
import { pipeline } from 'node:stream/promises'
import t from 'tap'
import { ClickHouseError, createClient } from '@clickhouse/client'
import { runningQueries } from '../../servers/running_queries.js'
import { startTestStore } from '../../servers/store.js'
import { until } from '../../until.js'

/**
 * Cases from the official client's own tests (ping, query, insert, streams, parameters, compression, abort, errors,
 * settings), run against the embedded store, or with CLICKHOUSE_URL against a real server: both must behave alike.
 */
const external = process.env.CLICKHOUSE_URL
t.setTimeout(240_000)

t.test('the official client works with the store', async (t) => {
  const address = external
    ? {
        url: external,
        username: process.env.CLICKHOUSE_USER ?? 'default',
        password: process.env.CLICKHOUSE_PASSWORD ?? '',
      }
    : await startTestStore(t).then(({ url, token }) => ({ url, username: 'default', password: token }))
  const connect = (more: object = {}) => {
    const made = createClient({ ...address, ...more })
    t.teardown(() => made.close())
    return made
  }
  const client = connect()
  const database = `cases_${process.pid}`
  await client.command({ query: `CREATE DATABASE ${database} ENGINE = Atomic` })
  t.teardown(() => client.command({ query: `DROP DATABASE ${database}` }).catch(() => {}))
  const table = async (name: string, columns = 'id UInt64, name String, sku Array(UInt8)') => {
    await client.command({ query: `CREATE TABLE ${database}.${name} (${columns}) ENGINE = MergeTree ORDER BY tuple()` })
    return `${database}.${name}`
  }
  const json = async (query: string, more: object = {}) =>
    (await client.query({ query, format: 'JSONEachRow', ...more })).json<any>()
  const three = [
    { id: '42', name: 'hello', sku: [0, 1] },
    { id: '43', name: 'ключ', sku: [3, 4] },
    { id: '44', name: 'a\tb\n"c\'\\', sku: [] },
  ]
  const numbers64 = { output_format_json_quote_64bit_integers: 1 as const }

  t.test('ping', async (t) => {
    t.same(await client.ping(), { success: true })
    t.equal((await connect({ url: 'http://127.0.0.1:1' }).ping()).success, false)
    if (!external)
      t.match(await connect({ password: 'wrong' }).ping({ select: true }), {
        success: false,
        error: { code: '516', type: 'AUTHENTICATION_FAILED' },
      })
  })

  t.test('every way to insert works', async (t) => {
    const rowsOf = async (name: string) => json(`SELECT * FROM ${name} ORDER BY id`, { clickhouse_settings: numbers64 })
    const ways: [string, (name: string) => Promise<unknown>][] = [
      ['objects', (name) => client.insert({ table: name, values: three, format: 'JSONEachRow' })],
      [
        'a stream of objects',
        (name) => client.insert({ table: name, values: Readable.from(three), format: 'JSONEachRow' }),
      ],
      [
        'compact rows',
        (name) =>
          client.insert({
            table: name,
            values: three.map(({ id, name: text, sku }) => [id, text, sku]),
            format: 'JSONCompactEachRow',
          }),
      ],
      [
        'compressed',
        (name) =>
          connect({ compression: { request: true, response: true } }).insert({
            table: name,
            values: three,
            format: 'JSONEachRow',
          }),
      ],
      [
        'some columns',
        (name) => client.insert({ table: name, values: three, format: 'JSONEachRow', columns: ['id', 'name', 'sku'] }),
      ],
      [
        'a select',
        (name) =>
          client.command({
            query: `INSERT INTO ${name} SELECT toUInt64(42 + number),
              ['hello', 'ключ', 'a\\tb\\n"c\\'\\\\'][1 + number], [[0, 1], [3, 4], []][1 + number] FROM numbers(3)`,
          }),
      ],
    ]
    for (const [index, [way, insert]] of ways.entries()) {
      const name = await table(`insert_${index}`)
      await insert(name)
      t.same(await rowsOf(name), three, way)
    }
    const name = await table('files')
    const folder = mkdtempSync(join(tmpdir(), 'platestream-cases-'))
    t.teardown(() => rmSync(folder, { recursive: true, force: true }))
    writeFileSync(join(folder, 'in.csv'), '1,one,"[1]"\n2,two,"[]"\n')
    await client.insert({ table: name, values: createReadStream(join(folder, 'in.csv')), format: 'CSV' })
    const out = await client.query({ query: `SELECT * FROM ${name} ORDER BY id`, format: 'CSV' })
    await pipeline(
      out.stream(),
      async function* (source) {
        for await (const rows of source) for (const row of rows as { text: string }[]) yield `${row.text}\n`
      },
      createWriteStream(join(folder, 'out.csv')),
    )
    t.same(await json(`SELECT id FROM ${name} ORDER BY id`, { clickhouse_settings: numbers64 }), [
      { id: '1' },
      { id: '2' },
    ])
    const empty = await client.insert({ table: name, values: [], format: 'JSONEachRow' })
    t.equal(empty.executed, false)
    await t.rejects(client.insert({ table: `${database}.nowhere`, values: three, format: 'JSONEachRow' }), {
      code: '60',
    })
    await t.rejects(client.insert({ table: name, values: [{ id: 'foobar' }], format: 'JSONEachRow' }), {
      name: 'Error',
    })
  })

  t.test('results come in the requested format', async (t) => {
    const query = 'SELECT number AS n, toString(number) AS s FROM system.numbers LIMIT 3'
    t.match(await (await client.query({ query, format: 'JSON' })).json(), {
      rows: 3,
      meta: [{ name: 'n' }, { name: 's' }],
    })
    t.equal((await (await client.query({ query, format: 'JSONCompact' })).json<any>()).data.length, 3)
    t.equal(await (await client.query({ query, format: 'CSV' })).text(), '0,"0"\n1,"1"\n2,"2"\n')
    t.equal(await (await client.query({ query, format: 'TabSeparated' })).text(), '0\t0\n1\t1\n2\t2\n')
    t.equal(await (await client.query({ query, format: 'CSVWithNames' })).text(), '"n","s"\n0,"0"\n1,"1"\n2,"2"\n')
    const streamed = await client.query({
      query: 'SELECT number FROM system.numbers LIMIT 100000',
      format: 'JSONCompactEachRow',
    })
    let rows = 0
    for await (const chunk of streamed.stream()) rows += chunk.length
    t.equal(rows, 100_000)
    t.throws(() => (streamed as any).stream(), 'a stream is read once')
  })

  t.test('parameters of every type arrive', async (t) => {
    const cases: [string, unknown, unknown][] = [
      ['Int32', -5, -5],
      ['UInt64', '18446744073709551615', '18446744073709551615'],
      ['Float64', 1.5, 1.5],
      ['String', 'it\'s \\ "q" {x:Int8} \n\t ключ', 'it\'s \\ "q" {x:Int8} \n\t ключ'],
      ['Bool', true, true],
      ['Date', '2022-05-02', '2022-05-02'],
      ["DateTime('UTC')", new Date(Date.UTC(2022, 4, 2)), '2022-05-02 00:00:00'],
      ['DateTime', '2022-05-02 13:25:55', '2022-05-02 13:25:55'],
      ['Array(Int32)', [1, 2, 3], [1, 2, 3]],
      ['Array(String)', ["a'b", '\\', 'ü'], ["a'b", '\\', 'ü']],
      ['Array(Array(Int32))', [[1], [2, 3]], [[1], [2, 3]]],
      ['Nullable(Int32)', null, null],
      ['Map(String, String)', { a: "b'c" }, { a: "b'c" }],
      ['Identifier', 'system', 'system'],
    ]
    for (const [type, given, expected] of cases) {
      if (type === 'Identifier')
        t.ok(
          (await json('SELECT name FROM {db:Identifier}.databases LIMIT 1', { query_params: { db: given } })).length ===
            1,
          type,
        )
      else
        t.same(
          (await json(`SELECT {x:${type}} AS x`, { query_params: { x: given }, clickhouse_settings: numbers64 }))[0].x,
          expected,
          type,
        )
    }
    await t.rejects(json('SELECT {x:Int32}'), { code: '456' })
    await t.rejects(json('SELECT {x:Int32}', { query_params: { x: 'abc' } }), { name: 'Error' })
    const long = 'x'.repeat(100_000)
    t.equal(
      (await json('SELECT {x:String} AS x', { query_params: { x: long } }))[0].x,
      long,
      'longer than a URL may be',
    )
  })

  t.test('settings apply to one query only', async (t) => {
    const [first, second] = await Promise.all([
      json("SELECT toString(getSetting('max_block_size')) AS s", { clickhouse_settings: { max_block_size: '1111' } }),
      json("SELECT toString(getSetting('max_block_size')) AS s", { clickhouse_settings: { max_block_size: '2222' } }),
    ])
    t.same([first[0].s, second[0].s], ['1111', '2222'], 'concurrent queries')
    t.not((await json("SELECT toString(getSetting('max_block_size')) AS s"))[0].s, '1111', 'the next query')
    await t.rejects(json('SELECT 1', { clickhouse_settings: { nosuch: 1 } }), { code: '115' })
    await t.rejects(
      json('SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1', {
        clickhouse_settings: { max_execution_time: 1 },
      }),
      { code: '159' },
      'time',
    )
    await t.rejects(
      json('SELECT groupArray(number) FROM numbers(100000000)', {
        clickhouse_settings: { max_memory_usage: '50000000' },
      }),
      { code: '241' },
      'memory',
    )
    await t.rejects(
      json('SELECT number FROM numbers(100)', {
        clickhouse_settings: { max_result_rows: '10', result_overflow_mode: 'throw' },
      }),
      { code: '396' },
      'rows',
    )
  })

  t.test('compression, query ids and summaries work', async (t) => {
    const zipped = connect({ compression: { request: false, response: true } })
    const result = await zipped.query({
      query: "SELECT repeat('a', 10000) AS x",
      format: 'JSONEachRow',
      query_id: 'case-1',
    })
    t.equal(result.query_id, 'case-1')
    t.equal((await result.json<{ x: string }>())[0]!.x.length, 10_000)
    const name = await table('summary')
    const inserted = await client.insert({ table: name, values: three, format: 'JSONEachRow' })
    t.equal(inserted.summary?.written_rows, '3')
    const done = await client.command({ query: `INSERT INTO ${name} SELECT number, 'x', [] FROM numbers(7)` })
    t.match(done.summary, { elapsed_ns: /^\d+$/ })
    const ids = await Promise.all(
      Array.from({ length: 20 }, () =>
        client.query({ query: 'SELECT 1' }).then(async (one) => {
          await one.text()
          return one.query_id
        }),
      ),
    )
    t.equal(new Set(ids).size, 20)
    const progress = await client.query({
      query: 'SELECT sum(number) FROM numbers(1000)',
      clickhouse_settings: { send_progress_in_http_headers: 1 },
    })
    await progress.text()
    t.ok(progress.response_headers['x-clickhouse-summary'] ?? progress.response_headers['x-clickhouse-progress'])
  })

  t.test('errors have their code and type', async (t) => {
    for (const [query, code, type] of [
      ['SELECT * FROM nosuch', '60', 'UNKNOWN_TABLE'],
      ['SELECT foo FROM system.numbers LIMIT 1', '47', 'UNKNOWN_IDENTIFIER'],
      ['SELEKT', '62', 'SYNTAX_ERROR'],
      ['SELECT nosuch(1)', '46', 'UNKNOWN_FUNCTION'],
      ['SELECT * FROM nobase.t', '81', 'UNKNOWN_DATABASE'],
      ['SELECT throwIf(1)', '395', 'FUNCTION_THROW_IF_VALUE_IS_NON_ZERO'],
    ] as const) {
      const error = await json(query).then(
        () => undefined,
        (one: unknown) => one,
      )
      t.ok(error instanceof ClickHouseError)
      t.match(error, { code, type }, query)
    }
  })

  t.test('responses say what they are', async (t) => {
    const types: [string, string][] = [
      ['SELECT 42 FORMAT TSV', 'text/tab-separated-values; charset=UTF-8'],
      ['SELECT 42 FORMAT CSV', 'text/csv; charset=UTF-8; header=absent'],
      ['SELECT 42 FORMAT CSVWithNames', 'text/csv; charset=UTF-8; header=present'],
      ['SELECT 42 FORMAT JSON SETTINGS max_threads = 1', 'application/json; charset=UTF-8'],
      ['SELECT 42 SETTINGS max_threads = 1 FORMAT JSONCompact -- the last words', 'application/json; charset=UTF-8'],
      ['SELECT 42 FORMAT JSONEachRow;', 'application/x-ndjson; charset=UTF-8'],
      ["SELECT ' FORMAT JSON'", 'text/tab-separated-values; charset=UTF-8'],
    ]
    for (const [query, type] of types) {
      const { response_headers: headers } = await client.command({ query })
      t.equal(headers['content-type'], type, query)
    }
    const { response_headers: headers, query_id: id } = await client.exec({ query: 'SELECT 1 FORMAT JSONEachRow' })
    t.match(headers, {
      'x-clickhouse-query-id': id,
      'x-clickhouse-format': 'JSONEachRow',
      'x-clickhouse-timezone': /./,
      'x-clickhouse-server-display-name': /./,
      'x-clickhouse-summary':
        /read_rows.*read_bytes.*written_rows.*written_bytes.*result_rows.*result_bytes.*elapsed_ns/,
    })
  })

  t.test('rows with progress between them', async (t) => {
    const rows = await json('SELECT sleep(0.1) AS foo FROM numbers(2)', {
      format: 'JSONEachRowWithProgress',
      clickhouse_settings: { max_block_size: '1' },
    })
    const progress = (n: number) => ({
      progress: { read_rows: String(n), read_bytes: String(8 * n), total_rows_to_read: '2', elapsed_ns: /^\d+$/ },
    })
    const row = { row: { foo: 0 } }
    t.match(rows, [progress(1), { meta: [{ name: 'foo', type: 'UInt8' }] }, row, progress(2), row])
    t.equal(rows.length, 5)
  })

  t.test('progress arrives while the query runs', async (t) => {
    const settings = { send_progress_in_http_headers: 1, http_headers_progress_interval_ms: '50' } as const
    const raw = await rawProgress(address, 'SELECT count() FROM numbers(12) WHERE sleepEachRow(0.05) = 0', settings)
    const progress = raw.headers.map((line) => JSON.parse(line) as { read_rows: string; elapsed_ns: string })
    t.ok(progress.length >= 2, `${progress.length} headers`)
    t.ok(raw.firstAt < raw.endAt - 200, 'the first one long before the end')
    const times = progress.map((one) => Number(one.elapsed_ns))
    t.same(
      times,
      [...times].sort((a, b) => a - b),
    )
    t.equal(raw.body, '12\n')
    const result = await client.query({
      query: 'SELECT count() AS n FROM numbers(12) WHERE sleepEachRow(0.05) = 0',
      format: 'JSONEachRow',
      clickhouse_settings: settings,
    })
    t.same(await result.json(), [{ n: external ? 12 : '12' }])
    await t.rejects(
      client.query({
        query: `SELECT count() FROM numbers(20) WHERE sleepEachRow(0.05) = 0 AND NOT throwIf(number = 10, 'too late')
          SETTINGS max_block_size = 1`,
        clickhouse_settings: settings,
      }),
      { code: '395', message: /too late/ },
      'an exception after the status has been sent',
    )
    t.same(await json("SELECT 'next' AS x"), [{ x: 'next' }])
  })

  t.test('an exception in the middle of a streamed result reaches the reader', async (t) => {
    const result = await client.query({
      query: "SELECT number, throwIf(number = 500, 'not the whole') FROM system.numbers LIMIT 100000",
      format: 'CSV',
      clickhouse_settings: {
        http_write_exception_in_output_format: 0,
        http_response_buffer_size: '2',
        max_block_size: '1',
      },
    })
    let rows = 0
    const read = async () => {
      for await (const chunk of result.stream()) rows += chunk.length
    }
    await t.rejects(read(), { code: '395', message: /not the whole/ })
    t.ok(rows > 50, `${rows} rows before it`)
  })

  t.test('a compressed response that the reader decodes itself', async (t) => {
    const zipped = connect({ compression: { request: false, response: true } })
    const { stream, response_headers: headers } = await zipped.exec({
      query: 'SELECT 1 FORMAT CSV',
      decompress_response_stream: false,
    })
    t.equal(headers['content-encoding'], 'gzip')
    t.equal(gunzipSync(Buffer.concat(await stream.toArray())).toString(), '1\n')
  })

  t.test('what is too large is said to be', async (t) => {
    const limits = { max_result_bytes: '1000', result_overflow_mode: 'throw' } as const
    await t.rejects(json('SELECT number FROM numbers(100000)', { clickhouse_settings: limits }), {
      code: '396',
      ...(!external && { message: /limiting the amount of requested rows/ }),
    })
  })

  t.test('the version of the server', async (t) => {
    t.match((await json('SELECT version() AS v'))[0].v, /^\d+\.\d+\.\d+/)
    const { url, username, password } = address
    const response = await fetch(url, {
      method: 'POST',
      body: 'SELECT nosuch',
      headers: { 'X-ClickHouse-User': username, 'X-ClickHouse-Key': password },
    })
    t.match(await response.text(), /\(UNKNOWN_IDENTIFIER\) \(version \d+\.\d+/)
  })

  if (!external)
    t.test('what the embedded store does not have is refused by name', async (t) => {
      await t.rejects(json('SELECT * FROM system.query_log'), { code: '48', message: /system\.query_log/ })
      await t.rejects(json('SELECT 1', { session_id: 's' }), { code: '48', message: /session_id/ })
      await t.rejects(json('SELECT 1', { role: 'r' }), { code: '48', message: /role/ })
    })

  t.test('an aborted query is killed, others continue', async (t) => {
    const one = new AbortController()
    const endless = 'SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 2'
    const slow = client.query({
      query: endless,
      abort_signal: one.signal,
    })
    const rest = Promise.all(Array.from({ length: 5 }, (_, i) => json(`SELECT ${i} AS i`)))
    slow.catch(() => {})
    await until(async () => (await runningQueries(client, endless)) === 1)
    one.abort()
    await t.rejects(slow)
    t.same(
      (await rest).flat(),
      [0, 1, 2, 3, 4].map((i) => ({ i })),
    )
    await until(async () => (await runningQueries(client, endless)) === 0)
  })

  t.test('the result of a killed query never reaches another query', async (t) => {
    for (let round = 0; round < 8; round++) {
      const one = new AbortController()
      const slow = client.query({
        query: 'SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 4',
        format: 'JSON',
        abort_signal: one.signal,
      })
      // Killed at different times, between the twelve queries that follow.
      setTimeout(() => one.abort(), 30 + 20 * round)
      await slow.catch(() => {})
      for (let i = 0; i < 12; i++) {
        const text = await (await client.query({ query: `SELECT ${i} AS i`, format: 'JSONEachRow' })).text()
        if (text !== `{"i":${i}}\n`) return t.fail(text)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
    t.pass('eight queries killed, ninety-six results correct')
  })

  t.test('rows that a query wrote before it failed never reach another query', async (t) => {
    for (const format of ['JSON', 'CSV', 'JSONEachRow']) {
      await t.rejects(
        client.command({
          query: `SELECT number, throwIf(number = 500), 'secret' FROM system.numbers LIMIT 1000
            SETTINGS max_block_size = 1 FORMAT ${format}`,
        }),
        { code: '395' },
      )
      const next = Array.from({ length: 8 }, () => client.query({ query: "SELECT 'next'", format: 'CSV' }))
      t.same(await Promise.all(next.map(async (one) => (await one).text())), Array(8).fill('"next"\n'), format)
    }
  })

  if (!external)
    t.test('exports do not delay lookups', async (t) => {
      const endless = 'SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 3'
      const exports = new AbortController()
      const many = Array.from({ length: 6 }, () =>
        client
          .query({
            query: endless,
            clickhouse_settings: { priority: '10', max_threads: 1 },
            abort_signal: exports.signal,
          })
          .catch(() => 'ended'),
      )
      await until(async () => (await runningQueries(client, endless)) > 0)
      t.same(await Promise.all([1, 2, 3, 4].map((i) => json(`SELECT ${i} AS i`))), [
        [{ i: 1 }],
        [{ i: 2 }],
        [{ i: 3 }],
        [{ i: 4 }],
      ])
      t.equal(await runningQueries(client, endless), 1, 'one of six exports runs in a store of four sessions')
      exports.abort()
      await Promise.all(many)
    })
})

/** Runs a query over a socket of its own: `fetch` shows headers only when all of them are there. */
function rawProgress(
  { url, username, password }: { url: string; username: string; password: string },
  query: string,
  settings: Record<string, string | number>,
): Promise<{ headers: string[]; body: string; firstAt: number; endAt: number }> {
  const { hostname, port } = new URL(url)
  const parameters = new URLSearchParams(settings as Record<string, string>)
  return new Promise((resolve, reject) => {
    const socket = connectSocket(Number(port), hostname)
    let text = ''
    let firstAt = 0
    socket.on('data', (piece) => {
      text += piece.toString()
      if (firstAt === 0 && text.includes('X-ClickHouse-Progress')) firstAt = Date.now()
    })
    socket.on('error', reject)
    socket.on('end', () => {
      const [head = '', body = ''] = text.split('\r\n\r\n')
      const headers = [...head.matchAll(/^X-ClickHouse-Progress: (.*)$/gim)].map(([, json]) => json!)
      resolve({ headers, body: body.replace(/^[0-9a-f]+\r\n|\r\n0\r\n$/g, ''), firstAt, endAt: Date.now() })
    })
    socket.write(
      `POST /?${parameters} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-ClickHouse-User: ${username}\r\n` +
        `X-ClickHouse-Key: ${password}\r\nContent-Length: ${query.length}\r\n\r\n${query}`,
    )
  })
}
