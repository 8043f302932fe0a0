import t from 'tap'
import { CameraRegistry } from '../../../engine/cameras/camera_registry.js'
import { until } from '../../until.js'
import { startTestNats } from '../../servers/nats.js'

const camera = (id: string, more: object = {}) => ({
  id,
  name: `Camera ${id}`,
  kind: 'fixed',
  lat: 37.77,
  lon: -122.42,
  ...more,
})
const eventually = async (
  t: { ok(value: unknown, what: string): unknown },
  what: string,
  holds: () => boolean,
  limitMs = 8_000,
) => {
  await until(holds, limitMs)
  t.ok(holds(), what)
}

t.test('cameras are added, replaced, listed and deleted', async (t) => {
  const nats = await startTestNats(t)
  const registry = await CameraRegistry.open(await nats.connect())
  t.same(await registry.list(), [])
  await registry.put(camera('b'))
  t.equal(await registry.add(camera('a', { heading: 90 })), true)
  t.equal(await registry.add(camera('a', { heading: 180 })), false, 'add does not replace')
  t.match(await registry.get('a'), { id: 'a', heading: 90, agency: '' })
  t.same(
    (await registry.list()).map((c) => c.id),
    ['a', 'b'],
  )
  await t.rejects(registry.add(camera('c', { lat: 0, lon: 0.0001 })), {
    code: 'ALPR_ERR_CAMERA_INVALID',
    message: /0,0 is in the sea/,
  })
  t.equal(await registry.delete('a'), true)
  t.equal(await registry.delete('a'), false)
  t.equal(await registry.get('a'), undefined)
  t.equal(await registry.get('no such key!'), undefined)
  t.same(
    (await registry.list()).map((c) => c.id),
    ['b'],
  )
  t.equal(await registry.add(camera('a')), true, 'a deleted camera can be added again')
})

t.test('a record that is not a valid camera is refused', async (t) => {
  const nats = await startTestNats(t)
  const registry = await CameraRegistry.open(await nats.connect())
  for (const bad of [
    null,
    {},
    camera('A'),
    camera('a', { lat: 91 }),
    camera('a', { lat: undefined }),
    camera('a', { colour: 'red' }),
  ]) {
    await t.rejects(registry.put(bad), { code: 'ALPR_ERR_CAMERA_INVALID' })
  }
})

t.test(
  'a follower sees changes live, ignores invalid records with a warning and survives a restart of the server',
  async (t) => {
    const nats = await startTestNats(t)
    const connection = await nats.connect()
    const registry = await CameraRegistry.open(connection)
    await registry.put(camera('a'))
    await registry.put(camera('gone'))
    const warnings: object[] = []
    const followed = await registry.watch({ warn: (fields) => warnings.push(fields) })
    t.teardown(() => followed.stop())
    t.same([...followed.cameras.keys()].sort(), ['a', 'gone'])

    const bucket = await connection.jetstream().views.kv('CAMERAS')
    await bucket.put('a', '{"id":"a"}')
    await bucket.put('x', 'not json')
    await registry.put(camera('b'))
    await eventually(t, 'a new camera arrives', () => followed.cameras.has('b'))
    t.equal(followed.cameras.get('a')?.name, 'Camera a', 'the previous valid record stays in force')
    t.notOk(followed.cameras.has('x'))
    t.equal(warnings.length, 2)

    await nats.kill('SIGKILL')
    await nats.restart()
    const other = await CameraRegistry.open(await nats.connect())
    await other.put(camera('c'))
    await other.delete('gone')
    await eventually(
      t,
      'changes after the restart arrive',
      () => followed.cameras.has('c') && !followed.cameras.has('gone'),
    )
    t.match(await followed.find('b', 0), { id: 'b' })
    const removed = (await bucket.get('gone'))!.created.getTime()
    t.match(await followed.find('gone', removed - 1), { id: 'gone' }, 'it was a camera when the message arrived')
    t.match(await followed.find('gone', removed + 10_000), { id: 'gone' })
    t.equal(await followed.find('gone', removed + 10_001), undefined)
    t.equal(await followed.find('never', 0), undefined)
  },
)
