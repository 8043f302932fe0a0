import { Type } from '@sinclair/typebox'
import { previewThresholds, type PreviewRow } from '../../../wasm/mod.js'
import { distributionOf } from '../distribution.js'
import { filterOf, FilterFields } from '../filter.js'
import { conditionOf } from '../planner.js'
import { confusionModel, plateSyntax } from '../pattern.js'
import { inputOf, question } from '../question.js'
import { sql, value } from '../../store/sql.js'
import { DAY_MS } from '../../model/time.js'

/** Reads that are looked at: each may be hundreds of texts, and the event loop waits for them. */
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
 * What a threshold would bring: false hits a day of a list of this size on this traffic, and the share of listed
 * vehicles that it lets through.
 */
export const preview = question({
  kind: 'preview',
  summary:
    'False hits a day that a hot list of a size is expected to give with a threshold, on the traffic of these reads',
  schema: inputOf({
    ...fields,
    entries: Type.Integer({ minimum: 0, maximum: 5_000_000, description: 'plates on the list' }),
    thresholds: Type.Array(Type.Number({ minimum: 0.001, maximum: 1 }), {
      minItems: 1,
      maxItems: 20,
      default: [0.9, 0.7, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01],
    }),
    readsPerDay: Type.Optional(
      Type.Number({ minimum: 0, maximum: 1e9, description: 'if not said, as many as these reads are' }),
    ),
    region: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 15,
        description: 'whose formats the list has, such as US-CA; if not said, those of all regions',
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
    // Spread over the windows by chance, but the same for the same reads.
    const rows = await ask.rows<Row>(
      sql`
      SELECT plate AS text, confidence AS sure, alternate_plates AS others, alternate_confidences AS chances, region AS state FROM ${reads}
      WHERE plate != '' ORDER BY cityHash64(read_id) LIMIT ${value('UInt32', SAMPLE)}`,
      'sample',
    )
    const distributions = rows
      .map(({ text, sure, others, chances }) =>
        distributionOf(
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
