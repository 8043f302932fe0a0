import { Readable } from 'node:stream'
import { Type } from '@sinclair/typebox'
import { EXPORT_FORMATS, type ExportFormat, fileOf, type Look, questionList } from '../../engine/mod.js'
import type { Api, Services } from '../http/api.js'
import type { Caller } from '../access/authenticator.js'
import { problems, strict } from '../http/listing.js'

/** A polygon of 2,000 corners in each of 16 places, or 20,000 plates, bytes. */
const BODY_LIMIT = 1_048_576

const Query = Type.Object(
  {
    format: Type.Union(
      [
        Type.Literal('json'),
        ...Object.keys(EXPORT_FORMATS).map((format) => Type.Literal(format as ExportFormat)),
        Type.Literal('pages' as const),
      ],
      {
        default: 'json',
        description:
          'pages: JSON lines, each the answer as far as it is known, while it is found (question plates); csv and geojson: the whole answer as a file that streams, up to 1,000,000 rows or the `limit` of the question',
      },
    ),
    purpose: Type.Optional(
      Type.String({
        maxLength: 500,
        description: 'why somebody looks: category and case number; goes to the gate in front of all questions',
      }),
    ),
  },
  strict,
)

/** One route for each question: its own input as the body, checked by the desk, which every look goes through. */
export function canvassRoutes(api: Api, { canvass }: Services): void {
  for (const { kind, summary, schema } of questionList()) {
    api.post(
      `/api/canvass/${kind}`,
      {
        bodyLimit: BODY_LIMIT,
        schema: {
          summary,
          tags: ['canvass'],
          querystring: Query,
          body: schema as unknown as typeof Body,
          response: { 200: Type.Unsafe<unknown>(Answer), ...problems(400, 401, 404, 408, 413, 422, 503) },
        },
      },
      async ({ body, query: { format, purpose }, caller, raw }, reply) => {
        // A client that goes away: the store ends the query.
        const gone = new AbortController()
        reply.raw.once('close', () => {
          if (!reply.raw.writableFinished) gone.abort()
        })
        if (raw.destroyed) gone.abort()
        const look: Look = { who: whoOf(caller), ...(purpose !== undefined && { purpose }) }
        if (format === 'pages')
          return reply.type('application/x-ndjson').send(
            Readable.from(await begun(lines(canvass.watch(look, kind, body, { signal: gone.signal }))), {
              objectMode: false,
            }),
          )
        if (format === 'json') return canvass.ask(look, kind, body, { signal: gone.signal })
        const pieces = fileOf(format, kind, canvass.export(look, kind, body, { signal: gone.signal }))
        return reply
          .type(EXPORT_FORMATS[format])
          .header('content-disposition', `attachment; filename="${kind}.${format}"`)
          .send(Readable.from(await begun(pieces, 2), { objectMode: false }))
      },
    )
  }
}

/**
 * The first pieces decide the status; an error after them cuts the connection, so that nobody takes a part for the
 * whole.
 */
async function begun(pieces: AsyncGenerator<string>, count = 1): Promise<AsyncGenerator<string>> {
  const first: string[] = []
  for (let i = 0; i < count; i++) {
    const piece = await pieces.next()
    if (!piece.done) first.push(piece.value)
  }
  return (async function* () {
    yield* first
    yield* pieces
  })()
}

async function* lines(answers: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const answer of answers) yield `${JSON.stringify(answer)}\n`
}

const Body = Type.Object({}, { additionalProperties: true })
const Answer = Type.Object(
  {
    items: Type.Array(Type.Object({}, { additionalProperties: true })),
    next: Type.Optional(Type.String()),
    notes: Type.Optional(Type.Object({}, { additionalProperties: true })),
    plan: Type.Optional(Type.Object({}, { additionalProperties: true })),
  },
  { description: 'a page; as a file with format=csv or format=geojson' },
)

/** Accounts will name people here. */
const whoOf = (caller: Caller | null): string => (caller === null ? '' : caller.kind)
