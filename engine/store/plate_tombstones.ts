import type { ClickHouseClient } from '@clickhouse/client'

/**
 * Repairs the index by plate of one week: an engine that wrote after another one had taken over its cameras may have
 * left a row that its successor could not see. A maintenance job for weeks that are over; running it again is harmless.
 * @param day Monday, `YYYY-MM-DD`
 */
export async function writePlateTombstones(client: ClickHouseClient, database: string, day: string): Promise<void> {
  const live = `${database}.reads_by_plate FINAL WHERE toMonday(ts) = {day:Date} AND NOT gone`
  const reads = `${database}.reads FINAL WHERE toMonday(ts) = {day:Date}`
  const suspects =
    `(SELECT read_id FROM ${live} GROUP BY read_id HAVING count() > 1 ` +
    `UNION ALL SELECT read_id FROM ${reads} AND plate = '')`
  await client.command({
    query: `INSERT INTO ${database}.reads_by_plate (plate, ts, read_id, version, gone)
      SELECT i.plate, i.ts, i.read_id, r.version, 1
      FROM (SELECT plate, ts, read_id FROM ${live} AND read_id IN ${suspects}) AS i
      INNER JOIN (SELECT plate, ts, read_id, version FROM ${reads} AND read_id IN ${suspects}) AS r
        ON i.read_id = r.read_id AND i.ts = r.ts
      WHERE i.plate != r.plate`,
    query_params: { day },
    clickhouse_settings: {
      max_execution_time: 3_600,
      do_not_merge_across_partitions_select_final: 1,
      max_bytes_before_external_group_by: '500000000',
    },
  })
}
