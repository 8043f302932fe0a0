import { QUESTIONS, type QuestionKind } from './questions.js'

/**
 * The public door of canvass: the desk, and what a question looks like. The questions themselves are asked by nobody
 * else.
 */
export {
  CanvassService,
  CACHED_MS,
  MAX_EXPORT,
  type Answer,
  type AskOptions,
  type CanvassServiceOptions,
  type Plan,
} from './canvass_service.js'
export { fileOf, EXPORT_FORMATS, type ExportFormat } from './export.js'
export { openGate, type Answered, type Asked, type Gate, type Look } from './access_gate.js'
export {
  SqlPlateSearch,
  type Candidate,
  type Candidates,
  type PlateSearch,
  type SearchAsk,
} from '../plate_search/candidates.js'
export { DictionarySearch } from '../plate_search/dictionary_search.js'
export type { Costs } from './costs.js'
export type { Sql } from '../store/sql.js'
export type { QuestionKind }

/** Name, purpose and input of each question: for routes and commands. */
export const questionList = (): {
  kind: QuestionKind
  summary: string
  schema: (typeof QUESTIONS)[QuestionKind]['schema']
}[] =>
  (Object.keys(QUESTIONS) as QuestionKind[]).map((kind) => ({
    kind,
    summary: QUESTIONS[kind].summary,
    schema: QUESTIONS[kind].schema,
  }))
