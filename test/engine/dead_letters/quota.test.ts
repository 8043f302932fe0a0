import t, { type Test } from 'tap'
import { DEAD_FULL, DeadLetterQuota, type Kept } from '../../../engine/dead_letters/quota.js'
import { startTestNats } from '../../servers/nats.js'

const kMaxBytes = 1_000_000

/** What is kept of `count` dead letters of one camera and reason, once DEAD is filled up to a share of its bound. */
async function keptOf(t: Test, share: number, count: number): Promise<Kept[]> {
  const nats = await startTestNats(t, { partitions: 1, deadMaxBytes: kMaxBytes })
  const connection = await nats.connect()
  const letter = new Uint8Array(10_000)
  for (let bytes = 0; bytes + letter.length < share * kMaxBytes; bytes += letter.length)
    await connection.jetstream().publish('dead.other.REASON', letter)
  const quota = new DeadLetterQuota(await connection.jetstreamManager())
  const kept: Kept[] = []
  for (let n = 0; n < count; n++) kept.push(await quota.admit('main-st', 'ALPR_ERR_FRAME_CORRUPT'))
  t.equal(await quota.admit('second-st', 'ALPR_ERR_FRAME_CORRUPT'), kept[0], 'another camera has a quota of its own')
  return kept
}

const countsOf = (kept: Kept[]) =>
  (['payload', 'headers', 'count'] as const).map((one) => kept.filter((k) => k === one).length)

t.test('of one camera and reason 100 letters are kept whole and 1,000 at all', async (t) => {
  t.same(countsOf(await keptOf(t, 0, 1_200)), [100, 900, 200])
})

t.test('a DEAD that is half full keeps three letters whole', async (t) => {
  t.same(countsOf(await keptOf(t, 0.6, 1_100)), [3, 997, 100])
})

t.test('a DEAD that is full keeps nothing, so that no partition waits for it', async (t) => {
  t.same(countsOf(await keptOf(t, DEAD_FULL + 0.02, 20)), [0, 0, 20])
})
