import { Type } from '@sinclair/typebox'
import { CAMERA_ID, normalisePlate, pictureAddress, type ReadRecord } from '../../engine/mod.js'
import { accessOf } from '../access/access.js'
import { type Api, RFC3339, strict } from '../http/api.js'
import type { Services } from './services.js'
import type { Column } from '../http/csv_writer.js'
import { sendList, FormatField, PageFields, pageOf, PurposeField } from '../http/listing.js'

const CropSchema = Type.Object(
  { segment: Type.String(), offset: Type.Integer(), length: Type.Integer() },
  { description: 'the picture is at /api/crops/<segment>/<offset>/<length>' },
)

const Plates = Type.Array(Type.Object({ plate: Type.String(), confidence: Type.Number() }))

const ReadSchema = Type.Object({
  readId: Type.String(),
  version: Type.Integer(),
  plate: Type.String(),
  confidence: Type.Number(),
  alternates: Plates,
  region: Type.String(),
  camera: Type.String(),
  cameraName: Type.Optional(Type.String()),
  ts: RFC3339,
  tsLast: RFC3339,
  lat: Type.Number(),
  lon: Type.Number(),
  heading: Type.Optional(Type.Number()),
  direction: Type.String(),
  frames: Type.Integer(),
  crop: Type.Optional(CropSchema),
  module: Type.String(),
  model: Type.String(),
})

const Query = Type.Object(
  {
    ...PageFields,
    ...FormatField,
    ...PurposeField,
    camera: Type.Optional(Type.String({ pattern: CAMERA_ID.source })),
    plate: Type.Optional(
      Type.String({ minLength: 1, maxLength: 16, description: 'the plate as read; spaces and case do not matter' }),
    ),
  },
  strict,
)

const COLUMNS: Column<ReadRecord>[] = [
  ['readId', (r) => r.readId],
  ['plate', (r) => r.plate],
  ['confidence', (r) => r.confidence],
  ['alternates', (r) => r.alternates.map((a) => `${a.plate} ${a.confidence}`).join('; ')],
  ['region', (r) => r.region],
  ['camera', (r) => r.camera],
  ['cameraName', (r) => r.cameraName],
  ['ts', (r) => r.ts],
  ['tsLast', (r) => r.tsLast],
  ['lat', (r) => r.lat],
  ['lon', (r) => r.lon],
  ['heading', (r) => r.heading],
  ['direction', (r) => r.direction],
  ['frames', (r) => r.frames],
  ['crop', (r) => r.crop && pictureAddress(r.crop)],
  ['module', (r) => r.module],
  ['model', (r) => r.model],
]

export function readsRoutes(api: Api, { records, registry }: Services): void {
  const named = (read: ReadRecord): ReadRecord => ({
    ...read,
    cameraName: registry.camera(read.camera)?.name ?? '',
  })

  api.get(
    '/api/reads',
    {
      schema: { summary: 'Latest reads', tags: ['reads'], querystring: Query, response: pageOf(ReadSchema) },
    },
    async ({ query: { format, plate, purpose, ...query }, caller }, reply) => {
      const wanted = { ...query, ...(plate !== undefined && { plate: normalisePlate(plate) }) }
      const page = await records.reads(accessOf(caller, purpose), wanted)
      return sendList(reply, format, 'reads', { ...page, items: page.items.map(named) }, COLUMNS)
    },
  )
}
