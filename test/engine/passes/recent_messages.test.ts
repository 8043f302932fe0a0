import t from 'tap'
import fc from 'fast-check'
import { pack, unpack } from '../../../engine/partition/packed.js'
import { contentDigest, RecentMessages, rejectedDigest } from '../../../engine/passes/recent_messages.js'

const message = (time: string | undefined, payload: Uint8Array, id?: string) => ({
  header: (name: string) => ({ 'Captured-At': time, 'Nats-Msg-Id': id })[name],
  payload,
})
const JPEG = new Uint8Array(50_000).map((_, i) => (i * 31) & 0xff)

t.test('the content is the captured time and the payload, not the id', async (t) => {
  const digest = contentDigest(message('2026-05-01T08:30:00.250Z', JPEG, 'a'))
  t.equal(contentDigest(message('2026-05-01T08:30:00.250Z', JPEG.slice(), 'b')), digest)
  t.not(contentDigest(message('2026-05-01T08:30:00.251Z', JPEG)), digest)
  t.not(contentDigest(message('2026-05-01T08:30:00.250Z', JPEG.subarray(0, -1))), digest)
})

t.test(
  'a rejected message is the same only with the same id: its sender may repeat it, and a redrive has none',
  async (t) => {
    const junk = new Uint8Array(3)
    t.equal(rejectedDigest(message(undefined, junk)), undefined)
    t.equal(rejectedDigest(message(undefined, junk, 'a')), rejectedDigest(message(undefined, junk, 'a')))
    t.not(rejectedDigest(message(undefined, junk, 'a')), rejectedDigest(message(undefined, junk, 'b')))
  },
)

t.test('other contents have other digests', async (t) => {
  const digests = new Set<number>()
  for (let n = 0; n < 20_000; n++)
    digests.add(contentDigest(message('2026-05-01T08:30:00.250Z', Buffer.from(`{"plate":"${n}"}`))))
  t.equal(digests.size, 20_000)
})

t.test('it remembers what the camera sends in five seconds, 16 to 64 messages, also over a checkpoint', async (t) => {
  fc.assert(
    fc.property(fc.oneof(fc.integer({ min: 1, max: 100_000 }), fc.constant(0)), (intervalMs) => {
      let recent = RecentMessages.empty()
      for (let n = 0; n < 300; n++) {
        recent.add(n * 1e9, intervalMs)
        if (n % 50 === 0) recent = RecentMessages.fromJSON(unpack(pack(recent)) as Uint8Array)
      }
      const most = Math.min(64, Math.max(16, Math.ceil(5_000 / intervalMs)))
      for (let n = 0; n < 300; n++) if (recent.has(n * 1e9) !== n >= 300 - most) return false
      return recent.toJSON().length <= 64 * 5
    }),
  )
  t.notOk(RecentMessages.fromJSON(undefined).has(0), 'the state of an older release has none')
})
