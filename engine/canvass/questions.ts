import { canvass } from './questions/canvass.js'
import { convoy } from './questions/convoy.js'
import { heat } from './questions/heat.js'
import { history } from './questions/history.js'
import { lookBack } from './questions/look_back.js'
import { nearby } from './questions/nearby.js'
import { plates } from './questions/plates.js'
import { preview } from './questions/preview.js'
import { scenes } from './questions/scenes.js'
import { timeline } from './questions/timeline.js'

/** All questions by name. Only CanvassService answers them. */
export const QUESTIONS = {
  canvass,
  history,
  scenes,
  convoy,
  nearby,
  timeline,
  heat,
  'look-back': lookBack,
  plates,
  preview,
} as const
export type QuestionKind = keyof typeof QUESTIONS

/** Name, summary and input of each question: for routes and commands. */
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
