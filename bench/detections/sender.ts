import { randomBytes } from 'node:crypto'
import { headers } from 'nats'
import { connectNats, detectionsSubject, HEADER } from '../../engine/mod.js'
import { sleep } from '../../engine/runtime/mod.js'
import { Plates } from '../random/plates.js'
import { atPace } from '../system/pace.js'
import { PublishWindow } from '../system/publish_window.js'

/** The work of the sender. It is a separate process, so that its CPU is counted apart from the benchmark's. */
export interface SendOrder {
  nats: { url: string; token: string }
  cameras: readonly string[]
  /** Reads in all, per message, and per second (0: as fast as the stream acknowledges them). */
  count: number
  batch: number
  perSecond: number
  seed: number
}

export interface Sent {
  messages: number
  /** By how much the sender fell behind its pace at most, ms. */
  lateMs: number
  seconds: number
  cpuSeconds: number
  bytes: number
}

process.once('message', (order: SendOrder) => {
  void send(order).then((sent) => {
    process.send!(sent)
    process.disconnect()
  })
})

async function send({ nats, cameras, count, batch, perSecond, seed }: SendOrder): Promise<Sent> {
  const connection = await connectNats({ ...nats, name: 'bench-sender' })
  const js = connection.jetstream()
  const run = randomBytes(6).toString('hex')
  const messages = Math.ceil(count / batch)
  // Everything but the time is prepared: making it is the camera's work, and not measured.
  const bodies = bodiesOf(new Plates(seed), Math.min(messages, 2_000), batch)
  let bytes = 0
  const publish = async (index: number, at: number): Promise<void> => {
    const time = `{"capturedAt":"${new Date(at).toISOString()}`
    const reads = bodies[index % bodies.length]!.slice(0, Math.min(batch, count - index * batch))
    const payload = Buffer.from(`[${reads.map((body) => time + body).join(',')}]`)
    bytes += payload.length
    const header = headers()
    header.set(HEADER.msgId, `${run}-${index}`)
    const subject = detectionsSubject(cameras[index % cameras.length]!)
    for (;;) {
      try {
        await js.publish(subject, payload, { headers: header, timeout: 10_000 })
        return
      } catch {
        await sleep(100)
      }
    }
  }
  const started = performance.now()
  const publishes = new PublishWindow()
  const start = (index: number, at: number) => publishes.add(publish(index, at))
  let lateMs = 0
  if (perSecond > 0) lateMs = await atPace(perSecond / batch, messages, start)
  else {
    for (let index = 0; index < messages; index++) {
      start(index, Date.now())
      const wait = publishes.room()
      if (wait) await wait
    }
  }
  await publishes.drained()
  const { user, system } = process.cpuUsage()
  const seconds = (performance.now() - started) / 1_000
  await connection.close()
  return { messages, lateMs, seconds, cpuSeconds: (user + system) / 1e6, bytes }
}

/** Messages of `batch` reads each, as JSON without its beginning, the time. */
function bodiesOf(random: Plates, messages: number, batch: number): string[][] {
  const body = () => {
    const plate = random.text('9AAA999')
    const confidence = (0.8 + 0.19 * random.next()).toFixed(3)
    return `","plate":"${plate}","confidence":${confidence},"region":"US-CA"}`
  }
  return Array.from({ length: messages }, () => Array.from({ length: batch }, body))
}
