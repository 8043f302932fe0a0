import { Type } from '@sinclair/typebox'
import { CAMERA_ID, type LedgerEntry } from '../../engine/mod.js'
import { AlprError, DAY_MS, HOUR_MS } from '../../engine/runtime/mod.js'
import { accessOf } from '../access/access.js'
import { type Api, RFC3339, strict } from '../http/api.js'
import type { Services } from './services.js'
import type { Column } from '../http/csv_writer.js'
import { sendList, FormatField, pageOf, PurposeField } from '../http/listing.js'

/** At most a month of hours per request. */
const LONGEST_MS = 31 * DAY_MS

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
    async ({ query, caller }, reply) => {
      const to = query.to === undefined ? Date.now() + HOUR_MS : timeOf('to', query.to)
      const from = query.from === undefined ? to - DAY_MS : timeOf('from', query.from)
      if (from >= to || to - from > LONGEST_MS) {
        throw new AlprError('ALPR_ERR_REQUEST_INVALID', { reason: '`from` must be at most 31 days before `to`' })
      }
      const wanted = { from, to, ...(query.camera !== undefined && { camera: query.camera }) }
      const items = await records.ledger(accessOf(caller, query.purpose), wanted)
      return sendList(reply, query.format, 'ledger', { items }, COLUMNS)
    },
  )
}

function timeOf(field: string, text: string): number {
  const time = Date.parse(text)
  if (Number.isNaN(time))
    throw new AlprError('ALPR_ERR_REQUEST_INVALID', { reason: `${field} is not a valid date and time` })
  return time
}
