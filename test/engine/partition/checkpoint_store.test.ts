import t from 'tap'
import type { NatsConnection } from 'nats'
import { BUCKET } from '../../../engine/nats/topology.js'
import { CheckpointStore } from '../../../engine/partition/checkpoint_store.js'
import { CameraPasses } from '../../../engine/passes/camera_passes.js'
import { detectionOf, frameOf } from '../passes/plates.js'
import { startTestNats } from '../../servers/nats.js'

async function checkpointsOf(connection: NatsConnection, partition = 0): Promise<CheckpointStore> {
  const js = connection.jetstream()
  return new CheckpointStore(
    await connection.jetstreamManager(),
    await js.views.kv(BUCKET.passes),
    await js.views.kv(BUCKET.offsets),
    String(partition),
    { gapMs: 3_000 },
  )
}

function state(seq: number): [string, string] {
  const camera = CameraPasses.empty('main-st', { gapMs: 3_000 })
  camera.advance(frameOf(seq, seq * 1_000), [detectionOf('7ABC123', 10, 10)], () => `id-${seq}`)
  return ['main-st', JSON.stringify(camera)]
}

t.test('an owner finds what the previous one saved, of its own partition only', async (t) => {
  const connection = await (await startTestNats(t)).connect()
  const first = await checkpointsOf(connection)
  t.match(await first.load(), { committed: 0, cameras: new Map() })
  await first.saveCameras([state(41)])
  await first.saveOffset(42, 40)

  const { committed, cameras } = await (await checkpointsOf(connection)).load()
  t.equal(committed, 42)
  t.same([...cameras.keys()], ['main-st'])
  t.equal(cameras.get('main-st')!.seq, 41)
  t.equal(cameras.get('main-st')!.openCount, 1)
  t.equal((await (await checkpointsOf(connection, 1)).load()).cameras.size, 0)
})

t.test('an owner that was replaced without noticing is fenced off', async (t) => {
  const connection = await (await startTestNats(t)).connect()
  const old = await checkpointsOf(connection)
  await old.load()
  await old.saveCameras([state(1)])
  await old.saveOffset(1, 2)

  const fresh = await checkpointsOf(connection)
  const { committed } = await fresh.load()
  await fresh.fence(committed, 2)
  await t.rejects(old.saveOffset(2, 3), { code: 'ALPR_ERR_STATE_FENCED' })
  await fresh.saveCameras([state(3)])
  await t.rejects(old.saveCameras([state(2)]), { code: 'ALPR_ERR_STATE_FENCED' })
  await fresh.saveOffset(3, 4)
  t.equal((await (await checkpointsOf(connection)).load()).committed, 3)
})

t.test('saving the same again, as after a lost answer, does not look like another owner', async (t) => {
  const connection = await (await startTestNats(t)).connect()
  const js = connection.jetstream()
  const checkpoints = await checkpointsOf(connection)
  await checkpoints.load()
  const [camera, json] = state(5)
  // The write arrived, its answer did not: the bucket is one revision ahead of what the checkpoint store knows.
  await (await js.views.kv(BUCKET.passes)).put(`0.${camera}`, json)
  await checkpoints.saveCameras([[camera, json]])
  t.equal((await (await checkpointsOf(connection)).load()).cameras.get('main-st')!.seq, 5)
})
