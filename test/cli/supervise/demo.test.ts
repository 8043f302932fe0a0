import t from 'tap'
import { inspectFeed } from '../../../engine/feeds/mod.js'
import { CameraRegistry, listHotLists } from '../../../engine/mod.js'
import { installDemo, SAMPLE_FEED } from '../../../cli/supervise/demo.js'
import { startTestNats } from '../../servers/nats.js'

t.test(
  'the demo registers the cameras and hot lists of the sample feed and keeps changes that a person made',
  async (t) => {
    const nats = await startTestNats(t)
    const connection = await nats.connect()
    const registry = await CameraRegistry.open(connection)
    const feed = await inspectFeed(SAMPLE_FEED)
    t.notOk(feed.cutOff)
    t.same(
      [...feed.frames.keys()].sort(),
      feed.cameras.map((camera) => camera.id).sort(),
      'each camera has a record and frames',
    )

    const [first] = feed.cameras
    await registry.put({ ...first, name: 'Renamed by a person' })
    t.match(await installDemo(connection), /^4 demo cameras, 3 demo hot lists$/)
    t.same(
      (await registry.list()).map((camera) => camera.id),
      feed.cameras.map((camera) => camera.id).sort(),
    )
    t.equal((await registry.get(first!.id))?.name, 'Renamed by a person')
    const lists = (await listHotLists(connection.jetstream())).map(({ record }) => record)
    t.match(lists, [
      { id: 'be-on-lookout', kind: 'hot', priority: 'medium' },
      { id: 'special-interest', kind: 'special', priority: 'informational' },
      { id: 'stolen-vehicles', kind: 'hot', priority: 'high' },
    ])
    t.ok(lists.every((list) => list.entries > 100))
  },
)
