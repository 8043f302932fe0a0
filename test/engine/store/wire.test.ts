import t from 'tap'
import { ClickHouseError } from '@clickhouse/client'
import { startTestStore } from '../../servers/store.js'

t.test('the store speaks ClickHouse to @clickhouse/client', async (t) => {
  const store = await startTestStore(t)
  const { client } = store

  t.test('a query answers, with its id', async (t) => {
    const result = await client.query({ query: 'SELECT 1 AS one, toUInt64(18446744073709551615) AS big', format: 'JSONEachRow', query_id: 'my-id' })
    t.equal(result.query_id, 'my-id')
    t.same(await result.json(), [{ one: 1, big: '18446744073709551615' }])
  })

  t.test('ping', async (t) => {
    t.same((await client.ping()).success, true)
    t.same((await client.ping({ select: true })).success, true)
  })

  t.test('errors are ClickHouseError with code and type', async (t) => {
    const cases: [string, string, string][] = [
      ['SELECT * FROM nowhere', '60', 'UNKNOWN_TABLE'],
      ['SELECT FROM WHERE', '62', 'SYNTAX_ERROR'],
      ['SELECT 1; SELECT 2', '62', 'SYNTAX_ERROR'],
      ['SELECT {x:UInt8}', '456', 'UNKNOWN_QUERY_PARAMETER'],
      ['SELECT throwIf(number = 3) FROM numbers(10)', '395', 'FUNCTION_THROW_IF_VALUE_IS_NON_ZERO'],
      ['SELECT nosuch(1)', '46', 'UNKNOWN_FUNCTION'],
    ]
    for (const [query, code, type] of cases) {
      const error = await client.query({ query, format: 'JSON' }).then(() => undefined, (error: unknown) => error)
      t.ok(error instanceof ClickHouseError, query)
      t.match(error, { code, type }, query)
    }
    await t.rejects(client.command({ query: 'SELECT 1', clickhouse_settings: { nosuch: 1 } as never }), { code: '115', type: 'UNKNOWN_SETTING' })
  })
})
