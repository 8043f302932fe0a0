import type { ClickHouseClient } from '@clickhouse/client'

/** Rows of a small result for a maintenance job, which may wait up to an hour for it. */
export async function queryRows<Row>(
  client: ClickHouseClient,
  query: string,
  params: Record<string, unknown> = {},
): Promise<Row[]> {
  const result = await client.query({
    query,
    query_params: params,
    format: 'JSONEachRow',
    clickhouse_settings: { max_execution_time: 3_600, do_not_merge_across_partitions_select_final: 1 },
  })
  return result.json<Row>()
}
