import { csvRow } from '../runtime/csv_row.js'
import type { ExportEnd } from './canvass_service.js'
import type { Question } from './question.js'
import { QUESTIONS, type QuestionKind } from './questions.js'

export const EXPORT_FORMATS = {
  csv: 'text/csv; charset=utf-8; header=present',
  geojson: 'application/geo+json',
} as const
export type ExportFormat = keyof typeof EXPORT_FORMATS

type Pages = AsyncGenerator<unknown[], ExportEnd>

/** Pieces of a file, one for each page: memory holds one page, however long the answer. */
export function fileOf(format: ExportFormat, kind: QuestionKind, pages: Pages): AsyncGenerator<string, ExportEnd> {
  const question = QUESTIONS[kind] as unknown as Question
  return format === 'csv' ? csv(question, pages) : geoJson(question, pages)
}

/** RFC 4180, a heading line first, even when no row follows. */
async function* csv({ columns }: Question, pages: Pages): AsyncGenerator<string, ExportEnd> {
  yield csvRow(columns.map(([heading]) => heading))
  return yield* eachPage(pages, (page) => page.map((row) => csvRow(columns.map(([, of]) => of(row)))).join(''))
}

/**
 * RFC 7946: a FeatureCollection; rows without a place have a geometry of null. Its members `next` and `left` are those
 * of an answer.
 */
async function* geoJson({ columns, shape }: Question, pages: Pages): AsyncGenerator<string, ExportEnd> {
  yield '{"type":"FeatureCollection","features":['
  let first = true
  const end = yield* eachPage(pages, (page) => {
    const features = page.map((row) => {
      const at = shape(row)
      const geometry =
        at === undefined
          ? null
          : 'point' in at
            ? { type: 'Point', coordinates: at.point }
            : { type: 'Polygon', coordinates: [at.corners] }
      return JSON.stringify({
        type: 'Feature',
        geometry,
        properties: Object.fromEntries(columns.map(([heading, of]) => [heading, of(row)])),
      })
    })
    const piece = `${first ? '' : ','}${features.join(',')}`
    first = false
    return piece
  })
  yield `]${Object.entries(end)
    .map(([name, value]) => `,"${name}":${JSON.stringify(value)}`)
    .join('')}}\n`
  return end
}

/** The pages as text, and what they return. A reader that stops ends the pages too. */
async function* eachPage(pages: Pages, textOf: (page: unknown[]) => string): AsyncGenerator<string, ExportEnd> {
  try {
    for (;;) {
      const page = await pages.next()
      if (page.done) return page.value
      yield textOf(page.value)
    }
  } finally {
    await pages.return({})
  }
}
