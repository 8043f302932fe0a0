import t from 'tap'
import { Retry } from '../../../engine/runtime/retry.js'

const log = {
  lines: [] as string[],
  warn(_: object, text: string) {
    this.lines.push(text)
  },
  info(_: object, text: string) {
    this.lines.push(text)
  },
}

t.test(
  'work is tried until it succeeds; meanwhile it is said what is waited for; one line at the start and one at the end',
  async (t) => {
    const waiting = new Retry(log)
    let attempts = 0
    const result = await waiting.until(
      'clickhouse',
      async () => {
        attempts += 1
        if (attempts === 2) t.same(waiting.reasons, { clickhouse: 'refused' })
        if (attempts < 4) throw new Error('refused')
        return 'stored'
      },
      new AbortController().signal,
    )
    t.equal(result, 'stored')
    t.same(waiting.reasons, {})
    t.same(log.lines, ['clickhouse fails, trying again with growing pauses', 'clickhouse works again'])
  },
)

t.test('it gives up when the process ends, and at once when trying again is pointless', async (t) => {
  const waiting = new Retry(log)
  const ending = new AbortController()
  setTimeout(() => ending.abort(), 150)
  await t.rejects(
    waiting.until(
      'nats',
      async () => {
        throw new Error('away')
      },
      ending.signal,
    ),
    { message: 'away' },
  )
  let attempts = 0
  await t.rejects(
    waiting.until(
      'nats',
      async () => {
        attempts += 1
        throw new Error('fenced')
      },
      new AbortController().signal,
      () => true,
    ),
    { message: 'fenced' },
  )
  t.equal(attempts, 1)
  t.same(waiting.reasons, {})
})
