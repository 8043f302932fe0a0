import { Type, type TSchema } from '@sinclair/typebox'
import type { FastifyReply } from 'fastify'
import type { Page } from '../records/archive.js'
import { toCsv, type Column } from './csv_writer.js'
import { ProblemSchema } from './problem.js'

/** Fields that every list takes in its address. */
export const FormatField = {
  format: Type.Union([Type.Literal('json'), Type.Literal('csv')], {
    default: 'json',
    description: 'csv: the same rows as a table',
  }),
}
export const PageFields = {
  limit: Type.Integer({ minimum: 1, maximum: 1_000, default: 100 }),
  before: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'the `next` of the page before' })),
}

export const strict = { additionalProperties: false }
export const RFC3339 = Type.String({ description: 'RFC 3339, UTC' })

export const pageOf = <T extends TSchema>(item: T) => ({
  200: Type.Object(
    { items: Type.Array(item), next: Type.Optional(Type.String()) },
    { description: 'newest first; as CSV with format=csv' },
  ),
  ...problems(400, 401, 503),
})

export const problems = (...statuses: number[]) =>
  Object.fromEntries(statuses.map((status) => [status, ProblemSchema])) as Record<number, typeof ProblemSchema>

/** JSON as it is, or the rows as a file; the cursor of the next page is then in the header `Next-Page`. */
export function answerList<T>(
  reply: FastifyReply,
  format: 'json' | 'csv',
  name: string,
  page: Page<T>,
  columns: readonly Column<T>[],
): FastifyReply {
  if (format === 'json') return reply.send(page)
  if (page.next) reply.header('next-page', page.next)
  return reply
    .type('text/csv; charset=utf-8; header=present')
    .header('content-disposition', `attachment; filename="${name}.csv"`)
    .send(toCsv(page.items, columns))
}
