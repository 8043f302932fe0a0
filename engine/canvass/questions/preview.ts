import { Type } from '@sinclair/typebox'
import { previewThresholds, type PreviewRow } from '../../../wasm/mod.js'
import { storedDistribution } from '../stored_distribution.js'
import { filterOf, FilterFields } from '../filter.js'
import { conditionOf } from '../planner.js'
import { confusionModel, plateSyntax } from '../../plate_search/pattern.js'
import { inputOf, question } from '../question.js'
import { sql, value } from '../../store/sql.js'
import { DAY_MS } from '../../model/time.js'

/** Sampled reads: each may mean hundreds of texts, and their evaluation blocks the event loop. */
const SAMPLE = 200
const { pattern: _, lookAlikes: __, ...fields } = FilterFields

interface Row {
  text: string
  sure: number
  others: string[]
  chances: number[]
  state: string
}

/**
 * What a threshold would cause: false hits a day for a list of this size on this traffic, and the share of listed
 * vehicles that it finds.
 */
export const preview = question({
  kind: 'preview',
  summary: 'Expected false hits a day of a hot list of a given size and threshold, on the traffic of these reads',
  schema: inputOf({
    ...fields,
    entries: Type.Integer({ minimum: 0, maximum: 5_000_000, description: 'plates on the list' }),
    thresholds: Type.Array(Type.Number({ minimum: 0.001, maximum: 1 }), {
      minItems: 1,
      maxItems: 20,
      default: [0.9, 0.7, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01],
    }),
    readsPerDay: Type.Optional(
      Type.Number({ minimum: 0, maximum: 1e9, description: 'default: the daily average of these reads' }),
    ),
    region: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 15,
        description: 'region whose plate formats the list has, such as US-CA; default: all regions',
      }),
    ),
  }),
  prepare: (input) => ({
    filter: filterOf({ ...input, lookAlikes: true }),
    entries: input.entries,
    thresholds: input.thresholds,
    readsPerDay: input.readsPerDay,
    region: input.region?.toUpperCase(),
  }),
  async answer(ask, { filter, entries, thresholds, readsPerDay, region }) {
    const reads = ask.reads(await conditionOf(ask, filter))
    const days = filter.windows.reduce((sum, { from, to }) => sum + to - from, 0) / DAY_MS
    const [counted] = await ask.rows<{ n: string }>(
      sql`SELECT toString(count()) AS n FROM ${reads} WHERE plate != ''`,
      'traffic',
    )
    const perDay = readsPerDay ?? Number(counted?.n ?? 0) / days
    // Spread over the windows at random, but the same sample for the same reads.
    const rows = await ask.rows<Row>(
      sql`
      SELECT plate AS text, confidence AS sure, alternate_plates AS others, alternate_confidences AS chances,
        region AS state FROM ${reads}
      WHERE plate != '' ORDER BY cityHash64(read_id) LIMIT ${value('UInt32', SAMPLE)}`,
      'sample',
    )
    const distributions = rows
      .map(({ text, sure, others, chances }) =>
        storedDistribution(
          text,
          sure,
          others.map((plate, i) => ({ plate, confidence: chances[i] ?? 0 })),
        ),
      )
      .filter((positions) => positions.length > 0)
    const notes = {
      entries,
      readsPerDay: perDay,
      reads: distributions.length,
      sampledFrom: Number(counted?.n ?? 0),
      ...(region !== undefined && { region }),
      model: confusionModel().data.origin.at(-1)?.source,
    }
    if (distributions.length === 0) return { items: [], notes }
    const items: PreviewRow[] = previewThresholds(
      { reads: distributions, thresholds, entries, readsPerDay: perDay, ...(region !== undefined && { region }) },
      confusionModel(),
      plateSyntax(),
    )
    return { items, notes }
  },
  columns: [
    ['threshold', (row: PreviewRow) => row.threshold],
    ['falseHitsPerDay', (row) => row.falseHitsPerDay],
    ['found', (row) => row.found],
    ['reads', (row) => row.reads],
  ],
  shape: () => undefined,
})
