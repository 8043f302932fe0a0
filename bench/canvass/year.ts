import { type ClickHouseClient, WEEK_MS } from '../../engine/mod.js'

/**
 * A deterministic year of reads that the store itself generates: 500 cameras (100 of them in cars), one new plate in
 * ten reads, ids in the order of time.
 */
export interface Year {
  reads: number
  cameras: number
  plates: number
  /** ms since 1970. */
  from: number
  weeks: number
}

/** A Monday. */
const FROM = Date.UTC(2025, 10, 17)
const WEEKS = 53
export const yearOf = (reads: number): Year => ({
  reads,
  cameras: 500,
  plates: Math.max(1_000, Math.round(reads / 10)),
  from: FROM,
  weeks: WEEKS,
})

/** The metro area, degrees: about 45 by 45 km. */
export const METRO = { south: 38.4, west: -121.6, north: 38.8, east: -121.1 }

const kHash = 18_446_744_073_709_551_615n

/** SQL of a uniform number 0..1 from a 64-bit hash. */
const unit = (hash: string): string => `${hash} / ${kHash}.`
/** SQL of the hash of a camera's position: fixed cameras by number, cameras in cars by number and hour. */
const positionHash = (seed: number): string =>
  `if(moving, sipHash64(k, intDiv(ms, 3600000), ${seed}), sipHash64(k, ${seed}))`
/** SQL of the `place`-th letter of plate number `p`. */
const letter = (place: number): string => `char(65 + intDiv(p, ${place}) % 26)`

/**
 * One statement generates a week. The position of a fixed camera depends on its number, that of a camera in a car on
 * number and hour; few plates are seen daily and many once (square of a uniform number). Nine plates in ten are of one
 * state; one read in 33 has no region, one in five has an alternate text. Qualities are uniform, the worst case for
 * compression.
 */
export async function makeYear(
  client: ClickHouseClient,
  database: string,
  year: Year,
  onWeek: (week: number) => void,
): Promise<void> {
  for (let week = 0; week < year.weeks; week++) {
    await client.command({
      query: weekStatement(database, year, week),
      clickhouse_settings: {
        max_insert_block_size: '1100000',
        min_insert_block_size_rows: '1100000',
        min_insert_block_size_bytes: '1000000000',
        max_threads: 1,
        max_execution_time: 3_600,
      },
    })
    onWeek(week + 1)
  }
}

function weekStatement(database: string, year: Year, week: number): string {
  const each = Math.ceil(year.reads / year.weeks)
  const start = year.from + week * WEEK_MS
  return `INSERT INTO ${database}.reads (
      cell, ts, read_id, version, plate, confidence,
      alternate_plates, alternate_confidences,
      region, camera, stay_ms, lat, lon, heading, direction,
      height_px, sharpness, contrast, glare,
      crop_segment, crop_offset, crop_length, picture_gap, picture_length,
      module, model, lists, feed)
    WITH
      number + ${week * each} AS i,
      sipHash64(i, 1) AS h1, sipHash64(i, 2) AS h2, sipHash64(i, 3) AS h3,
      ${unit('h1')} AS u1, ${unit('h2')} AS u2, ${unit('h3')} AS u3,
      toUInt32(least(${year.cameras - 1}, floor(pow(u1, 1.3) * ${year.cameras}))) AS k,
      k % 5 = 4 AS moving,
      ${start} + toInt64((number + u2) * ${WEEK_MS / each}) AS ms,
      ${unit(positionHash(4))} AS py, ${unit(positionHash(5))} AS px,
      toInt64((${METRO.south} + py * ${METRO.north - METRO.south} + if(moving, (u3 - 0.5) * 0.01, 0)) * 1000000) AS y,
      toInt64((${METRO.west} + px * ${METRO.east - METRO.west} + if(moving, (u2 - 0.5) * 0.01, 0)) * 1000000) AS x,
      toUInt64(floor(pow(u3, 2) * ${year.plates})) * 48271 % 175760000 AS p,
      concat(toString(intDiv(p, 17576000)), ${letter(676_000)}, ${letter(26_000)}, ${letter(1_000)},
        leftPad(toString(p % 1000), 3, '0')) AS text,
      1 + h2 % 7 AS at,
      toUInt32(floor((x / 1000000 + 180) * 182)) AS cx, toUInt32(floor((y / 1000000 + 90) * 182)) AS cy
    SELECT
      toUInt32(mortonEncode(cx, cy)), fromUnixTimestamp64Milli(ms, 'UTC'), toUInt64(i) * 16, toUInt32(3 + h2 % 10),
      text, toDecimal64(toInt64(1000 - 400 * pow(u2, 3)), 3) / 1000,
      if(h3 % 5 = 0, [concat(substring(text, 1, at - 1), char(65 + h1 % 26), substring(text, at + 1))], []),
      if(h3 % 5 = 0, [toDecimal64(toInt64(u1 * 111), 3) / 1000], []),
      if(h1 % 33 = 0, '', ['CA','CA','CA','CA','CA','CA','CA','NV','OR','AZ'][1 + sipHash64(p) % 10]),
      concat('cam-', toString(k)), toUInt64(400 + h2 % 2000),
      toDecimal64(y, 6) / 1000000, toDecimal64(x, 6) / 1000000,
      if(moving, toUInt16(u1 * 360), toUInt16(45 * (k % 8))),
      ['approaching','leaving','still','unknown'][1 + h2 % 4],
      toUInt16(20 + sipHash64(i, 6) % 41), toDecimal64(toInt64(u2 * 100), 2) / 100,
      toDecimal64(toInt64(u3 * 100), 2) / 100, toDecimal64(toInt64(u1 * u2 * 100), 2) / 100,
      '${segmentOf(start)}', toUInt64(number * 30000 + h1 % 15000), toUInt32(3000 + h1 % 3000),
      0, toUInt32(20000 + h2 % 9000),
      '0123456789abcdef', 'fedcba9876543210', '00112233', ''
    FROM numbers(${each})`
}

const segmentOf = (ms: number): string => `${new Date(ms).toISOString().slice(0, 10)}-bench.crops`

/**
 * Brings the store to its state after quiet hours: past weeks, and past quarters of the index by plate, merged to one
 * part each. The rollups merge by themselves.
 */
export async function settleYear(client: ClickHouseClient, database: string, year: Year): Promise<void> {
  for (let week = 0; week < year.weeks; week++) {
    const day = new Date(year.from + week * WEEK_MS).toISOString().slice(0, 10)
    await client.command({
      query: `OPTIMIZE TABLE ${database}.reads PARTITION '${day}' FINAL`,
      clickhouse_settings: { max_execution_time: 3_600 },
    })
  }
  const last = year.from + (year.weeks - 1) * WEEK_MS
  for (let at = year.from; quarterOf(at) !== quarterOf(last); at += WEEK_MS) {
    if (quarterOf(at) !== quarterOf(at + WEEK_MS))
      await client.command({
        query: `OPTIMIZE TABLE ${database}.reads_by_plate PARTITION '${quarterOf(at)}' FINAL`,
        clickhouse_settings: { max_execution_time: 3_600 },
      })
  }
}

/** The first day of a time's quarter, which is the name of its partition. */
function quarterOf(ms: number): string {
  const at = new Date(ms)
  return new Date(Date.UTC(at.getUTCFullYear(), Math.floor(at.getUTCMonth() / 3) * 3, 1)).toISOString().slice(0, 10)
}
