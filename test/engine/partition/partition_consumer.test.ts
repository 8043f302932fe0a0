import t from 'tap'
import { headers, type NatsConnection } from 'nats'
import { PartitionConsumer } from '../../../engine/partition/partition_consumer.js'
import { sleep } from '../../../engine/runtime/backoff.js'
import { ENTRANCE, framesSubject } from '../../../engine/nats/topology.js'
import { until } from '../../until.js'
import { startTestNats } from '../../servers/nats.js'

t.setTimeout(120_000)

/** Publishes frames `from`..`to` of one camera, each with its number as payload. */
async function publish(connection: NatsConnection, camera: string, from: number, to: number): Promise<void> {
  const js = connection.jetstream()
  for (let i = from; i <= to; i++) {
    const header = headers()
    header.set('Captured-At', new Date(i).toISOString())
    for (;;) {
      try {
        await js.publish(framesSubject(camera), String(i), { headers: header, msgID: `${camera}-${i}`, timeout: 1_000 })
        break
      } catch {
        await sleep(50)
      }
    }
  }
}

/**
 * Runs a source until it has seen `count` frames; gives their payloads in order. A source that fails is run again, as
 * the engine does.
 */
async function collect(
  _connection: NatsConnection,
  source: PartitionConsumer,
  count: number,
  room = 4,
): Promise<string[]> {
  const seen: string[] = []
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(), 30_000)
  while (!stop.signal.aborted) {
    await source
      .run(
        async () => room,
        (frame) => {
          seen.push(new TextDecoder().decode(frame.payload))
          if (seen.length >= count) stop.abort()
        },
        stop.signal,
      )
      .catch(() => sleep(50, stop.signal))
  }
  clearTimeout(timer)
  return seen
}

async function sourceOf(
  connection: NatsConnection,
  start = 0,
  partition = 0,
  partitions = 1,
): Promise<PartitionConsumer> {
  return new PartitionConsumer(
    connection.jetstream(),
    await connection.jetstreamManager(),
    ENTRANCE.frames,
    partition,
    partitions,
    start,
  )
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => String(from + i))

t.test('frames come in stream order, with subject, camera, headers and arrival', async (t) => {
  const nats = await startTestNats(t, { partitions: 1 })
  const connection = await nats.connect()
  await publish(connection, 'main-st', 1, 20)
  t.same(await collect(connection, await sourceOf(connection), 20), numbers(1, 20))
})

t.test('a new owner starts behind the floor, at once, whatever the last one left unacknowledged', async (t) => {
  const nats = await startTestNats(t, { partitions: 1 })
  const connection = await nats.connect()
  await publish(connection, 'main-st', 1, 30)
  await collect(connection, await sourceOf(connection), 30)
  const started = Date.now()
  t.same(await collect(connection, await sourceOf(connection, 12), 18), numbers(13, 30))
  t.ok(Date.now() - started < 5_000, 'without waiting for ack_wait')
})

t.test('the server maps a camera to one partition, and its consumer sees only that', async (t) => {
  const nats = await startTestNats(t, { partitions: 2 })
  const connection = await nats.connect()
  const cameras = ['a', 'b', 'c', 'd', 'e', 'f']
  for (const camera of cameras) await publish(connection, camera, 1, 3)
  const all: string[] = []
  for (const partition of [0, 1]) {
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 2_500)
    const source = await sourceOf(connection, 0, partition, 2)
    await source.run(
      async () => 8,
      (frame) => all.push(`${frame.camera}:${new TextDecoder().decode(frame.payload)}`),
      stop.signal,
    )
  }
  t.same(all.sort(), cameras.flatMap((camera) => ['1', '2', '3'].map((n) => `${camera}:${n}`)).sort())
})

t.test('a server that is killed and comes back costs no frame and no order', async (t) => {
  const nats = await startTestNats(t, { partitions: 1 })
  const connection = await nats.connect()
  const publisher = await nats.connect('publisher')
  const source = await sourceOf(connection)
  void (async () => {
    for await (const event of connection.status())
      if (event.type === 'reconnect' || event.type === 'disconnect') source.interrupt()
  })()
  const published = publish(publisher, 'main-st', 1, 300)
  const collected = collect(connection, source, 300)
  for (let i = 0; i < 2; i++) {
    await sleep(300)
    await nats.restart()
  }
  await published
  t.same(await collected, numbers(1, 300))
})

t.test('more than the room is never pulled', async (t) => {
  const nats = await startTestNats(t, { partitions: 1 })
  const connection = await nats.connect()
  await publish(connection, 'main-st', 1, 50)
  const source = await sourceOf(connection)
  const stop = new AbortController()
  let inFlight = 0
  let most = 0
  let done = 0
  await source.run(
    async () => {
      while (inFlight >= 3) await sleep(5)
      return 3 - inFlight
    },
    () => {
      inFlight += 1
      most = Math.max(most, inFlight)
      setTimeout(() => {
        inFlight -= 1
        if (++done === 50) stop.abort()
      }, 10)
    },
    stop.signal,
  )
  t.equal(done, 50)
  t.ok(most <= 3, `${most} at once`)
})

t.test('messages lost on the way come again, also when none comes after them', async (t) => {
  const nats = await startTestNats(t, { partitions: 1 })
  const connection = await nats.connect()
  const source = await sourceOf(connection)
  await publish(connection, 'main-st', 1, 3)
  const thief = await nats.connect('thief')
  const stop = new AbortController()
  const seen: string[] = []
  let pulls = 0
  await source.run(
    async () => {
      // Between two pulls of ours somebody else's is answered with the rest: to the server they are delivered.
      if (pulls++ === 1)
        for await (const message of await (
          await thief.jetstream().consumers.get('FRAMES', await onlyConsumer(thief))
        ).fetch({ max_messages: 2, expires: 2_000 }))
          void message
      return pulls === 1 ? 1 : 4
    },
    (frame) => {
      if (seen.push(new TextDecoder().decode(frame.payload)) === 3) stop.abort()
    },
    stop.signal,
  )
  t.same(seen, numbers(1, 3))
})

t.test('a consumer that the server has let go is made anew behind the last message seen', async (t) => {
  const nats = await startTestNats(t, { partitions: 1 })
  const connection = await nats.connect()
  const source = await sourceOf(connection)
  await publish(connection, 'main-st', 1, 3)
  const stop = new AbortController()
  const seen: string[] = []
  const running = source.run(
    async () => 4,
    (frame) => {
      if (seen.push(new TextDecoder().decode(frame.payload)) === 6) stop.abort()
    },
    stop.signal,
  )
  while (seen.length < 3) await sleep(10)
  const before = await onlyConsumer(connection)
  await (await connection.jetstreamManager()).consumers.delete('FRAMES', before)
  await publish(connection, 'main-st', 4, 6)
  await running
  t.same(seen, numbers(1, 6))
})

t.test('a source that ends leaves no consumer behind', async (t) => {
  const nats = await startTestNats(t, { partitions: 1 })
  const connection = await nats.connect()
  await publish(connection, 'main-st', 1, 3)
  t.equal((await collect(connection, await sourceOf(connection), 3)).length, 3)
  const manager = await connection.jetstreamManager()
  await until(async () => (await manager.streams.info('FRAMES')).state.consumer_count === 0)
  t.pass()
})

/** The name of the one consumer that FRAMES has. */
async function onlyConsumer(connection: NatsConnection): Promise<string> {
  const found = await (await connection.jetstreamManager()).consumers.list('FRAMES').next()
  return found[0]!.name
}
