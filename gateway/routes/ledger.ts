import { Type } from '@sinclair/typebox'
import { CAMERA_ID, type LedgerEntry } from '../../engine/mod.js'
import { AlprError, DAY_MS, HOUR_MS, parseDay, parseInstant } from '../../engine/runtime/mod.js'
import { accessOf } from '../access/access.js'
import { type Api, RFC3339, strict } from '../http/api.js'
import type { Services } from './services.js'
import { csvPieces, type Column } from '../http/csv_writer.js'
import { sendCsv, sendList, FormatField, PageFields, pageOf, PurposeField } from '../http/listing.js'
import { goneOf, started } from '../http/streamed_file.js'

/** At most a month of hours per request. */
const LONGEST_MS = 31 * DAY_MS
/** Entries of a page, unless the request says otherwise; of a page of a file. */
const PAGE = 1_000
const FILE_PAGE = 4_000

const Entry = Type.Object(
  {
    camera: Type.String(),
    hour: RFC3339,
    framesIn: Type.Integer(),
    withReads: Type.Integer(),
    withoutPlate: Type.Integer(),
    dead: Type.Integer(),
  },
  { description: 'framesIn = withReads + withoutPlate + dead' },
)

const Time = Type.String({
  pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}(:\\d{2}(\\.\\d{1,3})?)?Z$',
  description: 'RFC 3339, UTC',
})

const Query = Type.Object(
  {
    ...FormatField,
    ...PurposeField,
    ...PageFields,
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: PAGE, description: `default ${PAGE}; as CSV: all entries, as a stream` }),
    ),
    from: Type.Optional(Type.String({ ...Time, description: 'RFC 3339, UTC; default one day before `to`' })),
    to: Type.Optional(Type.String({ ...Time, description: 'RFC 3339, UTC; default now' })),
    camera: Type.Optional(Type.String({ pattern: CAMERA_ID.source })),
  },
  strict,
)

const COLUMNS: Column<LedgerEntry>[] = [
  ['camera', (e) => e.camera],
  ['hour', (e) => e.hour],
  ['framesIn', (e) => e.framesIn],
  ['withReads', (e) => e.withReads],
  ['withoutPlate', (e) => e.withoutPlate],
  ['dead', (e) => e.dead],
]

/** The outcome of every frame (EQP-1), per camera and hour. */
export function ledgerRoutes(api: Api, { records }: Services): void {
  api.get(
    '/api/ledger',
    {
      schema: {
        summary: 'The outcome of every frame, per camera and hour',
        tags: ['reads'],
        querystring: Query,
        response: pageOf(Entry),
      },
    },
    async ({ query, caller, raw }, reply) => {
      const to = query.to === undefined ? Date.now() + HOUR_MS : timeOf('to', query.to)
      const from = query.from === undefined ? to - DAY_MS : timeOf('from', query.from)
      if (from >= to || to - from > LONGEST_MS) {
        throw new AlprError('ALPR_ERR_REQUEST_INVALID', { reason: '`from` must be at most 31 days before `to`' })
      }
      const { camera, before, limit, format } = query
      const wanted = { from, to, ...(camera !== undefined && { camera }), ...(before !== undefined && { before }) }
      const access = accessOf(caller, query.purpose)
      if (format === 'json' || limit !== undefined)
        return sendList(
          reply,
          format,
          'ledger',
          await records.ledger(access, { ...wanted, limit: limit ?? PAGE }),
          COLUMNS,
        )
      const pages = records.exportLedger(access, { ...wanted, limit: FILE_PAGE })
      const file = await started(csvPieces(pages, COLUMNS), 2, goneOf(raw, reply.raw))
      return sendCsv(reply, 'ledger', file)
    },
  )
}

function timeOf(field: string, text: string): number {
  const time = parseInstant(text) ?? parseDay(text)
  if (time === undefined)
    throw new AlprError('ALPR_ERR_REQUEST_INVALID', {
      reason: `${field} is not a time with its zone, such as 2026-11-22T21:00:00Z, or a day`,
    })
  return time
}
