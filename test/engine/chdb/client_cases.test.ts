import { createReadStream, createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import t from 'tap'
import { ClickHouseError, createClient } from '@clickhouse/client'
import { startTestStore } from '../../servers/store.js'

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

  t.test('an aborted query is killed, others continue', async (t) => {
    const one = new AbortController()
    const slow = client.query({
      query: 'SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 2',
      abort_signal: one.signal,
    })
    const rest = Promise.all(Array.from({ length: 5 }, (_, i) => json(`SELECT ${i} AS i`)))
    setTimeout(() => one.abort(), 200)
    await t.rejects(slow)
    t.same(
      (await rest).flat(),
      [0, 1, 2, 3, 4].map((i) => ({ i })),
    )
    for (let tries = 0; ; tries++) {
      const [{ n }] = await json(
        "SELECT count() AS n FROM system.processes WHERE query LIKE '%sipHash64(number) = 2%' AND query NOT " +
          "LIKE '%system.processes%'",
      )
      if (Number(n) === 0) return t.pass('killed')
      if (tries > 100) return t.fail('it still runs')
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  })

  t.test('the result of a killed query never reaches another query', async (t) => {
    for (let round = 0; round < 8; round++) {
      const one = new AbortController()
      const slow = client.query({
        query: 'SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 4',
        format: 'JSON',
        abort_signal: one.signal,
      })
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

  if (!external)
    t.test('exports do not delay lookups', async (t) => {
      const exports = new AbortController()
      const many = Array.from({ length: 6 }, () =>
        client
          .query({
            query: 'SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 3',
            clickhouse_settings: { priority: '10', max_threads: 1 },
            abort_signal: exports.signal,
          })
          .catch(() => 'ended'),
      )
      await new Promise((resolve) => setTimeout(resolve, 300))
      const running = async () =>
        Number(
          (
            await json(
              "SELECT count() AS n FROM system.processes WHERE query LIKE '%sipHash64(number) = 3%' AND query NOT " +
                "LIKE '%system.processes%'",
            )
          )[0].n,
        )
      t.equal(
        await running(),
        1,
        'one of six exports runs in a store of four sessions, and this query was answered meanwhile',
      )
      t.same(await Promise.all([1, 2, 3, 4].map((i) => json(`SELECT ${i} AS i`))), [
        [{ i: 1 }],
        [{ i: 2 }],
        [{ i: 3 }],
        [{ i: 4 }],
      ])
      exports.abort()
      await Promise.all(many)
    })
})
