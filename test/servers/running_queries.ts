import type { ClickHouseClient } from '../../engine/mod.js'

/** How many queries whose text contains `part` run in the store now. One that was killed may stay in its list. */
export async function runningQueries(client: ClickHouseClient, part: string): Promise<number> {
  const running = await client.query({
    query:
      'SELECT count() AS n FROM system.processes WHERE NOT is_cancelled AND position(query, {part:String}) > 0 ' +
      'AND position(query, {own:String}) = 0',
    format: 'JSONEachRow',
    query_params: { part, own: 'system.processes' },
  })
  return Number((await running.json<{ n: string }>())[0]!.n)
}
