import { headers, type NatsConnection } from 'nats'
import t from 'tap'
import { loadDeadLetter, deadLetters, drop, redrive } from '../../../engine/dead_letters/queue.js'
import { startTestNats } from '../../servers/nats.js'

const publishDead = async (
  connection: NatsConnection,
  camera: string,
  reason: string,
  payload: Uint8Array,
  sequence: number,
) => {
  const h = headers()
  for (const [name, value] of [
    ['Captured-At', '2026-05-01T08:30:00.000Z'],
    ['Position', '1,2'],
    ['Dead-Reason', reason],
    ['Dead-Message', `because of ${reason}`],
    ['Dead-Subject', `frames.1.${camera}`],
    ['Dead-Sequence', String(sequence)],
    ['Dead-At', '2026-05-01T08:30:01.000Z'],
    ['Nats-Msg-Id', `dead-${sequence}`],
  ])
    h.set(name!, value!)
  await connection.jetstream().publish(`dead.${camera}`, payload, { headers: h })
}
const list = async (...args: Parameters<typeof deadLetters>) => {
  const all = []
  for await (const letter of deadLetters(...args)) all.push(letter)
  return all
}

t.test('dead letters are listed, filtered, redriven and dropped', async (t) => {
  const nats = await startTestNats(t, { partitions: 1 })
  const connection = await nats.connect()
  const manager = await connection.jetstreamManager()
  t.same(await list(manager), [])
  for (let i = 1; i <= 6; i++)
    await publishDead(
      connection,
      i % 2 ? 'odd' : 'even',
      i > 4 ? 'ALPR_ERR_FRAME_CORRUPT' : 'ALPR_ERR_CAMERA_UNKNOWN',
      new Uint8Array([i]),
      100 + i,
    )

  t.match((await list(manager))[0], {
    seq: 1,
    camera: 'odd',
    reason: 'ALPR_ERR_CAMERA_UNKNOWN',
    message: 'because of ALPR_ERR_CAMERA_UNKNOWN',
    subject: 'frames.1.odd',
    sequence: 101,
    bytes: 1,
    headers: { 'Captured-At': '2026-05-01T08:30:00.000Z', Position: '1,2' },
  })
  t.notOk('payload' in (await list(manager))[0]!, 'a list shows no payload')
  t.same([...(await loadDeadLetter(manager, 1)).payload], [1])
  t.same(Object.keys((await list(manager))[0]!.headers), ['Captured-At', 'Position'], 'only what the camera sent')
  t.same(
    (await list(manager, { camera: 'even' })).map((d) => d.seq),
    [2, 4, 6],
  )
  t.same(
    (await list(manager, { reason: 'ALPR_ERR_FRAME_CORRUPT' })).map((d) => d.seq),
    [5, 6],
  )
  t.same(
    (await list(manager, {}, 4)).map((d) => d.seq),
    [4, 5, 6],
  )

  await drop(manager, 2)
  await redrive(connection, manager, 3)
  t.same(
    (await list(manager)).map((d) => d.seq),
    [1, 4, 5, 6],
  )
  const FRAMES = 'FRAMES-1-0'
  const frames = (await manager.streams.info(FRAMES)).state
  t.equal(frames.messages, 1)
  const frame = await manager.streams.getMessage(FRAMES, { seq: 1 })
  t.match(frame.subject, /^frames\.1\.0\.odd$|^frames\.odd$/, 'the server chooses the partition again')
  t.equal(frame.header.get('Position'), '1,2')
  t.notOk(frame.header.has('Dead-Reason'))
  t.same([...frame.data], [3])
  await t.rejects(loadDeadLetter(manager, 3), { code: 'ALPR_ERR_NOT_FOUND' })
})

t.test('a dead letter stays when the stream refuses the frame', async (t) => {
  const nats = await startTestNats(t, { partitions: 1, framesMaxBytes: 100_000 })
  const connection = await nats.connect()
  const manager = await connection.jetstreamManager()
  await publishDead(connection, 'big', 'ALPR_ERR_FRAME_CORRUPT', new Uint8Array(200_000), 1)
  await t.rejects(redrive(connection, manager, 1))
  t.equal((await list(manager)).length, 1)
})

t.test('the largest possible dead letter is read whole', async (t) => {
  const nats = await startTestNats(t, { partitions: 1 })
  const connection = await nats.connect()
  const manager = await connection.jetstreamManager()
  await publishDead(connection, 'huge', 'ALPR_ERR_FRAME_TOO_LARGE', new Uint8Array(16_777_216 - 70_000), 1)
  t.equal((await loadDeadLetter(manager, 1)).bytes, 16_777_216 - 70_000)
})
