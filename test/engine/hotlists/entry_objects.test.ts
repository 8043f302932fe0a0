import { StorageType } from 'nats'
import t from 'tap'
import {
  deleteLostPieces,
  deleteObject,
  objectNames,
  ObjectUpload,
  readObject,
} from '../../../engine/hotlists/entry_objects.js'
import { contentVersion } from '../../../engine/runtime/content_version.js'
import { startTestNats } from '../../servers/nats.js'

const bytes = (length: number, seed = 1) => Uint8Array.from({ length }, (_, i) => (i * 31 + seed * 7) & 255)

const isSame = (a: Uint8Array | null | undefined, b: Uint8Array) => a != null && Buffer.compare(a, b) === 0

async function upload(client: ConstructorParameters<typeof ObjectUpload>[0], name: string, content: Uint8Array) {
  const object = new ObjectUpload(client)
  for (let at = 0; at < content.length; at += 50_000) await object.write(content.subarray(at, at + 50_000))
  const hash = await object.end()
  await object.commit(name)
  return hash
}

t.test('objects are those of the client: what one writes, the other reads, in both directions', async (t) => {
  const nats = await startTestNats(t)
  const js = (await nats.connect()).jetstream()
  const store = await js.views.os('HOTLIST_FILES', { storage: StorageType.File })
  for (const [name, length] of [
    ['a.empty', 0],
    ['b.one', 1],
    ['c.whole-pieces', 262_144],
    ['d.more', 5_000_001],
  ] as const) {
    const content = bytes(length)
    t.equal((await upload(js, name, content)).slice(0, 16), contentVersion([content]))
    t.ok(isSame(await store.getBlob(name), content), `${name}: the client reads ours`)
    await store.putBlob({ name: `old-${name}` }, content)
    t.ok(isSame(await readObject(js, `old-${name}`), content), `${name}: we read the client's`)
    t.ok(isSame(await readObject(js, name), content))
  }
  t.equal(await readObject(js, 'none'), undefined)
  await store.delete('b.one')
  t.equal(await readObject(js, 'b.one'), undefined, 'one that the client has deleted')
})

t.test('a name that is written again has the new content, and nothing is left of the old one', async (t) => {
  const nats = await startTestNats(t)
  const connection = await nats.connect()
  const js = connection.jetstream()
  const manager = await connection.jetstreamManager()
  const messages = async () => (await manager.streams.info('OBJ_HOTLIST_FILES')).state.messages
  await upload(js, 'x.1', bytes(300_000, 1))
  const before = await messages()
  await upload(js, 'x.1', bytes(300_000, 2))
  t.ok(isSame(await readObject(js, 'x.1'), bytes(300_000, 2)))
  t.equal(await messages(), before)
  const abandoned = new ObjectUpload(js)
  await abandoned.write(bytes(1_000_000))
  await abandoned.abandon()
  t.equal(await messages(), before)
  t.same(await objectNames(js), ['x.1'])
  await deleteObject(js, 'x.1')
  await deleteObject(js, 'x.1')
  t.equal(await messages(), 0)
})

t.test('pieces of an upload that was killed are deleted once they are old, those of objects stay', async (t) => {
  const nats = await startTestNats(t)
  const connection = await nats.connect()
  const js = connection.jetstream()
  const manager = await connection.jetstreamManager()
  const messages = async () => (await manager.streams.info('OBJ_HOTLIST_FILES')).state.messages
  await upload(js, 'x.1', bytes(300_000))
  const before = await messages()
  const killed = new ObjectUpload(js)
  await killed.write(bytes(1_000_000))
  await killed.end()
  await deleteLostPieces(js)
  t.ok((await messages()) > before, 'an upload that goes on is left alone')
  await deleteLostPieces(js, -1)
  t.equal(await messages(), before)
  t.ok(isSame(await readObject(js, 'x.1'), bytes(300_000)))
})

t.test('an object that loses pieces is an error that says how much is there', async (t) => {
  const nats = await startTestNats(t)
  const connection = await nats.connect()
  const js = connection.jetstream()
  await upload(js, 'x.1', bytes(1_000_000))
  await (await connection.jetstreamManager()).streams.purge('OBJ_HOTLIST_FILES', {
    filter: '$O.HOTLIST_FILES.C.>',
    keep: 3,
  })
  await t.rejects(readObject(js, 'x.1'), { message: /^only \d+ of 1000000 bytes are stored$/ })
})
