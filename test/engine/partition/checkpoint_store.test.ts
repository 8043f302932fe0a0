import t from 'tap'
import type { NatsConnection } from 'nats'
import { BUCKET } from '../../../engine/nats/topology.js'
import { CheckpointStore } from '../../../engine/partition/checkpoint_store.js'
import { CameraPasses } from '../../../engine/passes/camera_passes.js'
import { detectionOf, frameOf } from '../passes/plates.js'
import { startTestNats } from '../../servers/nats.js'

async function checkpointOf(connection: NatsConnection, partition = 0): Promise<CheckpointStore> {
  const js = connection.jetstream()
  return new CheckpointStore(
    await connection.jetstreamManager(),
    await js.views.kv(BUCKET.passes),
    await js.views.kv(BUCKET.floors),
    String(partition),
    { gapMs: 3_000 },
  )
}

function state(seq: number): [string, string] {
  const camera = CameraPasses.empty('main-st', { gapMs: 3_000 })
  camera.advance(frameOf(seq, seq * 1_000), [detectionOf('7ABC123', 10, 10)], () => `id-${seq}`)
  return ['main-st', JSON.stringify(camera)]
}

t.test('what one owner saved the next one finds, its own partition only', async (t) => {
  const connection = await (await startTestNats(t)).connect()
  const first = await checkpointOf(connection)
  t.match(await first.load(), { floor: 0, cameras: new Map() })
  await first.saveCameras([state(41)])
  await first.saveFloor(42, 40)

  const { floor, cameras } = await (await checkpointOf(connection)).load()
  t.equal(floor, 42)
  t.same([...cameras.keys()], ['main-st'])
  t.equal(cameras.get('main-st')!.seq, 41)
  t.equal(cameras.get('main-st')!.openCount, 1)
  t.equal((await (await checkpointOf(connection, 1)).load()).cameras.size, 0)
})

t.test('an owner that was replaced without noticing is refused', async (t) => {
  const connection = await (await startTestNats(t)).connect()
  const old = await checkpointOf(connection)
  await old.load()
  await old.saveCameras([state(1)])
  await old.saveFloor(1, 2)

  const fresh = await checkpointOf(connection)
  const { floor } = await fresh.load()
  await fresh.fence(floor, 2)
  await t.rejects(old.saveFloor(2, 3), { code: 'ALPR_ERR_STATE_FENCED' })
  await fresh.saveCameras([state(3)])
  await t.rejects(old.saveCameras([state(2)]), { code: 'ALPR_ERR_STATE_FENCED' })
  await fresh.saveFloor(3, 4)
  t.equal((await (await checkpointOf(connection)).load()).floor, 3)
})

t.test('saving the same again, as after a lost answer, is not taken for another owner', async (t) => {
  const connection = await (await startTestNats(t)).connect()
  const js = connection.jetstream()
  const checkpoint = await checkpointOf(connection)
  await checkpoint.load()
  const [camera, json] = state(5)
  // The write arrived, its answer did not: the bucket is one revision ahead of what the checkpoint knows.
  await (await js.views.kv(BUCKET.passes)).put(`0.${camera}`, json)
  await checkpoint.saveCameras([[camera, json]])
  t.equal((await (await checkpointOf(connection)).load()).cameras.get('main-st')!.seq, 5)
})
