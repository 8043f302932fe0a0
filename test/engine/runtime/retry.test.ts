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
  'work is retried until it succeeds, reports its reason meanwhile, and logs one line at the start and one at the end',
  async (t) => {
    const retry = new Retry(log)
    let attempts = 0
    const result = await retry.until(
      'clickhouse',
      async () => {
        attempts += 1
        if (attempts === 2) t.same(retry.reasons, { clickhouse: 'Error' })
        if (attempts < 4) throw new Error('refused')
        return 'stored'
      },
      new AbortController().signal,
    )
    t.equal(result, 'stored')
    t.same(retry.reasons, {})
    t.same(log.lines, ['clickhouse fails, retrying with growing pauses', 'clickhouse works again'])
  },
)

t.test('it gives up when the process ends, and at once when a retry is pointless', async (t) => {
  const retry = new Retry(log)
  const ending = new AbortController()
  setTimeout(() => ending.abort(), 150)
  await t.rejects(
    retry.until(
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
    retry.until(
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
  t.same(retry.reasons, {})
})
