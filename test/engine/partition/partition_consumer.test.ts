import { connect } from 'node:net'
import t from 'tap'
import { headers, type NatsConnection } from 'nats'
import { fromStored, PartitionConsumer, type StreamMessage } from '../../../engine/partition/partition_consumer.js'
import { sleep } from '../../../engine/runtime/backoff.js'
import { ENTRANCE, framesSubject, streamOf } from '../../../engine/nats/topology.js'
import { until } from '../../until.js'
import { startTestNats } from '../../servers/nats.js'

t.setTimeout(120_000)

const FRAMES = 'FRAMES-1-0'

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
 * Runs a consumer until it has received `count` frames, and adds their payloads to `received` in order. Restarts a
 * consumer that fails, as the engine does.
 */
async function collect(consumer: PartitionConsumer, count: number, received: string[] = []): Promise<string[]> {
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(), 30_000)
  while (!stop.signal.aborted) {
    await consumer
      .run(
        async () => 4,
        (frame) => {
          received.push(new TextDecoder().decode(frame.payload))
          if (received.length >= count) stop.abort()
        },
        stop.signal,
      )
      .catch(() => sleep(50, stop.signal))
  }
  clearTimeout(timer)
  return received
}

async function consumerOf(connection: NatsConnection, start = 0, index = 0, count = 1): Promise<PartitionConsumer> {
  const manager = await connection.jetstreamManager()
  const partition = { entrance: ENTRANCE.frames, count, index }
  const { created } = await manager.streams.info(streamOf(partition))
  return new PartitionConsumer(connection.jetstream(), manager, partition, created, { committed: start })
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => String(from + i))

t.test('frames come in stream order, with subject, camera, headers and arrival', async (t) => {
  const nats = await startTestNats(t, { partitions: 1 })
  const connection = await nats.connect()
  await publish(connection, 'main-st', 1, 20)
  t.same(await collect(await consumerOf(connection), 20), numbers(1, 20))
})

t.test(
  'a new owner starts after the committed offset at once, however much the last one left unacknowledged',
  async (t) => {
    const nats = await startTestNats(t, { partitions: 1 })
    const connection = await nats.connect()
    await publish(connection, 'main-st', 1, 30)
    await collect(await consumerOf(connection), 30)
    const started = Date.now()
    t.same(await collect(await consumerOf(connection, 12), 18), numbers(13, 30))
    t.ok(Date.now() - started < 5_000, 'without waiting for ack_wait')
  },
)

t.test('the server maps a camera to one partition, and its consumer gets only that', async (t) => {
  const nats = await startTestNats(t, { partitions: 2 })
  const connection = await nats.connect()
  const cameras = ['a', 'b', 'c', 'd', 'e', 'f']
  for (const camera of cameras) await publish(connection, camera, 1, 3)
  const all: string[] = []
  const manager = await connection.jetstreamManager()
  for (const partition of [0, 1]) {
    const stop = new AbortController()
    const stream = streamOf({ entrance: ENTRANCE.frames, count: 2, index: partition })
    const { last_seq } = (await manager.streams.info(stream)).state
    const consumer = await consumerOf(connection, 0, partition, 2)
    await consumer.run(
      async () => 8,
      (frame) => {
        all.push(`${frame.camera}:${new TextDecoder().decode(frame.payload)}`)
        if (frame.seq === last_seq) stop.abort()
      },
      stop.signal,
    )
  }
  t.same(all.sort(), cameras.flatMap((camera) => ['1', '2', '3'].map((n) => `${camera}:${n}`)).sort())
})

t.test('a server that is killed and restarts loses no frame and no order', async (t) => {
  const nats = await startTestNats(t, { partitions: 1 })
  const connection = await nats.connect()
  const publisher = await nats.connect('publisher')
  const consumer = await consumerOf(connection)
  void (async () => {
    for await (const event of connection.status())
      if (event.type === 'reconnect' || event.type === 'disconnect') consumer.interrupt()
  })()
  const published = publish(publisher, 'main-st', 1, 300)
  const received: string[] = []
  const collected = collect(consumer, 300, received)
  for (const progress of [20, 120]) {
    await until(() => received.length >= progress)
    await nats.restart()
  }
  await published
  t.same(await collected, numbers(1, 300))
})

t.test('it never pulls more than there is room for', async (t) => {
  const nats = await startTestNats(t, { partitions: 1 })
  const connection = await nats.connect()
  await publish(connection, 'main-st', 1, 50)
  const consumer = await consumerOf(connection)
  const stop = new AbortController()
  let inFlight = 0
  let most = 0
  let done = 0
  await consumer.run(
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

t.test('messages lost in transit come again, even when none follows them', async (t) => {
  const nats = await startTestNats(t, { partitions: 1 })
  const connection = await nats.connect()
  const consumer = await consumerOf(connection)
  await publish(connection, 'main-st', 1, 3)
  const thief = await nats.connect('thief')
  const stop = new AbortController()
  const received: string[] = []
  let pulls = 0
  await consumer.run(
    async () => {
      // Between two pulls another client pulls the rest: the server takes them for delivered.
      if (pulls++ === 1)
        for await (const message of await (
          await thief.jetstream().consumers.get(FRAMES, await onlyConsumer(thief))
        ).fetch({ max_messages: 2, expires: 2_000 }))
          void message
      return pulls === 1 ? 1 : 4
    },
    (frame) => {
      if (received.push(new TextDecoder().decode(frame.payload)) === 3) stop.abort()
    },
    stop.signal,
  )
  t.same(received, numbers(1, 3))
})

t.test('a consumer that the server deleted is replaced after the last message received', async (t) => {
  const nats = await startTestNats(t, { partitions: 1 })
  const connection = await nats.connect()
  const consumer = await consumerOf(connection)
  await publish(connection, 'main-st', 1, 3)
  const stop = new AbortController()
  const received: string[] = []
  const running = consumer.run(
    async () => 4,
    (frame) => {
      if (received.push(new TextDecoder().decode(frame.payload)) === 6) stop.abort()
    },
    stop.signal,
  )
  await until(() => received.length === 3)
  const before = await onlyConsumer(connection)
  await (await connection.jetstreamManager()).consumers.delete(FRAMES, before)
  await publish(connection, 'main-st', 4, 6)
  await running
  t.same(received, numbers(1, 6))
})

t.test('a stream that was recreated or set back is never read with sequences of the one before', async (t) => {
  const nats = await startTestNats(t, { partitions: 1 })
  const connection = await nats.connect()
  await publish(connection, 'main-st', 1, 3)
  const ahead = await consumerOf(connection, 7)
  const room = async () => 4
  const never = () => t.fail('nothing may be handed out')
  await t.rejects(ahead.run(room, never, AbortSignal.timeout(5_000)), {
    code: 'ALPR_ERR_STREAM_CHANGED',
    message: /was set back/,
  })
  const consumer = await consumerOf(connection, 3)
  const manager = await connection.jetstreamManager()
  const { config } = await manager.streams.info(FRAMES)
  await manager.streams.delete(FRAMES)
  await manager.streams.add(config)
  await publish(connection, 'main-st', 4, 9)
  await t.rejects(consumer.run(room, never, AbortSignal.timeout(5_000)), {
    code: 'ALPR_ERR_STREAM_CHANGED',
    message: /was recreated/,
  })
})

t.test('ending leaves no consumer on the server', async (t) => {
  const nats = await startTestNats(t, { partitions: 1 })
  const connection = await nats.connect()
  await publish(connection, 'main-st', 1, 3)
  t.equal((await collect(await consumerOf(connection), 3)).length, 3)
  const manager = await connection.jetstreamManager()
  await until(async () => (await manager.streams.info(FRAMES)).state.consumer_count === 0)
  t.pass()
})

/** The name of the one consumer that the stream has. */
async function onlyConsumer(connection: NatsConnection): Promise<string> {
  const found = await (await connection.jetstreamManager()).consumers.list(FRAMES).next()
  return found[0]!.name
}

t.test('a message whose headers the client cannot read stops nobody', async (t) => {
  const nats = await startTestNats(t, { partitions: 1 })
  const connection = await nats.connect()
  const socket = connect(nats.port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.write(`CONNECT {"verbose":false,"headers":true,"auth_token":"${nats.token}"}\r\n`)
  for (const head of ['Camera Name: x', 'Kamera\u00fc: x', 'Feed: a\nb']) {
    const text = Buffer.from(`NATS/1.0\r\n${head}\r\n\r\n`)
    for (const body of ['odd', ''])
      socket.write(
        Buffer.concat([
          Buffer.from(`HPUB frames.main-st ${text.length} ${text.length + body.length}\r\n`),
          text,
          Buffer.from(`${body}\r\n`),
        ]),
      )
  }
  const manager = await connection.jetstreamManager()
  await until(async () => (await manager.streams.info(FRAMES)).state.messages === 6)
  await publish(connection, 'main-st', 1, 2)
  const consumer = await consumerOf(connection)
  const received: StreamMessage[] = []
  const stop = new AbortController()
  await consumer.run(
    async () => 10,
    (message) => {
      received.push(message)
      if (received.length === 8) stop.abort()
    },
    stop.signal,
  )
  t.same(
    received.map(({ headerFault }) => headerFault !== undefined),
    [true, true, true, true, true, true, false, false],
  )
  t.match(fromStored(await manager.streams.getMessage(FRAMES, { seq: 1 })), { seq: 1, headerFault: String })
})
