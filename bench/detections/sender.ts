import { randomBytes } from 'node:crypto'
import { headers } from 'nats'
import { connectNats, detectionsSubject, HEADER } from '../../engine/mod.js'
import { sleep } from '../../engine/runtime/mod.js'
import { Plates } from '../random/plates.js'
import { atPace } from '../system/pace.js'

/** What the bench tells its sender, a process of its own so that its work is not counted as ours. */
export interface SendOrder {
  nats: { url: string; token: string }
  cameras: readonly string[]
  /** Detections in all, in one message, a second (0: as fast as the stream takes them). */
  count: number
  batch: number
  perSecond: number
  seed: number
}
export interface Sent {
  messages: number
  lateMs: number
  seconds: number
  cpuSeconds: number
  bytes: number
}

/** Messages on their way at once when there is no pace. */
const WINDOW = 64

process.once('message', (order: SendOrder) => {
  void send(order).then((sent) => {
    process.send!(sent)
    process.disconnect()
  })
})

async function send({ nats, cameras, count, batch, perSecond, seed }: SendOrder): Promise<Sent> {
  const connection = await connectNats({ ...nats, name: 'bench-sender' })
  const js = connection.jetstream()
  const random = new Plates(seed)
  const run = randomBytes(6).toString('hex')
  const messages = Math.ceil(count / batch)
  // Everything but the time is made beforehand: a camera's own work.
  const bodies = Array.from({ length: Math.min(messages, 2_000) }, () =>
    Array.from(
      { length: batch },
      () =>
        `","plate":"${random.text('9AAA999')}","confidence":${(0.8 + 0.19 * random.next()).toFixed(3)},"region":"US-CA"}`,
    ),
  )
  let bytes = 0
  const publish = async (index: number, at: number): Promise<void> => {
    const time = `{"capturedAt":"${new Date(at).toISOString()}`
    const left = Math.min(batch, count - index * batch)
    const payload = Buffer.from(
      `[${bodies[index % bodies.length]!.slice(0, left)
        .map((body) => time + body)
        .join(',')}]`,
    )
    bytes += payload.length
    const header = headers()
    header.set(HEADER.msgId, `${run}-${index}`)
    for (;;) {
      try {
        await js.publish(detectionsSubject(cameras[index % cameras.length]!), payload, {
          headers: header,
          timeout: 10_000,
        })
        return
      } catch {
        await sleep(100)
      }
    }
  }
  const begin = performance.now()
  const inFlight = new Set<Promise<void>>()
  const start = (index: number, at: number) => {
    const work: Promise<void> = publish(index, at).finally(() => inFlight.delete(work))
    inFlight.add(work)
  }
  let lateMs = 0
  if (perSecond > 0) lateMs = await atPace(perSecond / batch, messages, start)
  else {
    for (let index = 0; index < messages; index++) {
      start(index, Date.now())
      if (inFlight.size >= WINDOW) await Promise.race(inFlight)
    }
  }
  await Promise.all(inFlight)
  const { user, system } = process.cpuUsage()
  const seconds = (performance.now() - begin) / 1_000
  await connection.close()
  return { messages, lateMs, seconds, cpuSeconds: (user + system) / 1e6, bytes }
}
