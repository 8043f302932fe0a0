import { Writable } from 'node:stream'
import { pino } from 'pino'
import t from 'tap'
import { ClickHouseError } from '@clickhouse/client'
import { AlprError, logErrorOf, logReasonOf } from '../../engine/errors.js'
import { Retry } from '../../engine/runtime/retry.js'
import { storeError } from '../../engine/store/client.js'
import { startTestStore } from '../servers/store.js'

t.setTimeout(120_000)

const PLATE = '7ABC123'

function capture() {
  let text = ''
  const sink = new Writable({
    write(piece: Buffer, _, done) {
      text += piece.toString()
      done()
    },
  })
  return { log: pino({ serializers: { err: logErrorOf } }, sink), text: () => text }
}

t.test('a plate in an error of ClickHouse does not reach a log', async (t) => {
  const { client } = await startTestStore(t)
  const failure = async (query: string) =>
    client.query({ query, format: 'JSONEachRow' }).then(
      (result) => result.json().catch((error: unknown) => error),
      (error: unknown) => error,
    )
  const errors: unknown[] = [
    await failure(`SELECT toUInt8('${PLATE}')`),
    await failure(`SELECT * FROM plate_${PLATE}`),
    await failure(`SELECT throwIf(1, 'plate ${PLATE}')`),
  ]
  for (const error of errors) {
    t.ok(error instanceof ClickHouseError)
    t.match(String(error), PLATE, 'the error itself quotes it')
  }
  try {
    JSON.parse(PLATE)
  } catch (error) {
    errors.push(error)
  }
  for (const error of errors) {
    const { log, text } = capture()
    const wrapped = storeError(error, 'http://127.0.0.1')
    const quoting = new AlprError('ALPR_ERR_INTERNAL', { reason: String(error) }, { cause: error })
    for (const one of [error, wrapped, quoting]) {
      log.error({ err: one, reason: logReasonOf(one), fields: logErrorOf(one) }, 'a request failed')
      const ending = new AbortController()
      const retry = new Retry({
        info: () => {},
        warn: (fields, words) => {
          log.warn(fields, words)
          ending.abort()
        },
      })
      await retry.until('clickhouse', () => Promise.reject(one), ending.signal).catch(() => {})
    }
    t.notMatch(text(), PLATE)
    t.match(text(), /clickhouse fails/)
    t.match(text(), error instanceof ClickHouseError ? /ClickHouseError [A-Z_]+ \d+/ : /SyntaxError/)
  }
})

t.test('an error of our own keeps its words', async (t) => {
  t.equal(
    logReasonOf(new AlprError('ALPR_ERR_CAMERA_UNKNOWN', { camera: 'gate-1' })),
    new AlprError('ALPR_ERR_CAMERA_UNKNOWN', { camera: 'gate-1' }).message,
  )
  t.match(logReasonOf(Object.assign(new Error('connect to x'), { code: 'ECONNREFUSED' })), /^Error ECONNREFUSED$/)
})
