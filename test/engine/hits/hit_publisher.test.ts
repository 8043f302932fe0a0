import t from 'tap'
import { HitPublisher } from '../../../engine/hits/hit_publisher.js'
import type { Hit } from '../../../engine/model/hit.js'
import { startTestNats } from '../../servers/nats.js'
import { decidedHit } from './decided.js'

async function publisherFor(t: Parameters<typeof startTestNats>[0]) {
  const connection = await (await startTestNats(t)).connect()
  const manager = await connection.jetstreamManager()
  return {
    publisher: await HitPublisher.open(connection, manager),
    /** As if it had been published before the window of message ids. */
    publishUnknown: (hit: Hit) => connection.jetstream().publish(`hits.${hit.list}.${hit.camera}`, JSON.stringify(hit)),
    count: async () => (await manager.streams.info('HITS')).state.messages,
  }
}

t.test('a hit is published once, even if the server has forgotten its id', async (t) => {
  const { publisher, publishUnknown, count } = await publisherFor(t)
  const decided = decidedHit({}, { after: publisher.after })
  await publishUnknown(decidedHit({ camera: 'other' }).hit)
  await publishUnknown(decidedHit({ hitId: '78.stolen.7ABC123', readId: '78' }).hit)
  await publishUnknown(decided.hit)
  t.same(await publisher.publish(decided, true), decided.hit)
  t.equal(await count(), 3)
  await publisher.publish({ ...decided, hit: { ...decided.hit, revision: 2 } }, true)
  t.equal(await count(), 4, 'another revision is not there yet')
})

t.test('a hit of which nothing is known is published, and its sequence noted', async (t) => {
  const { publisher, count } = await publisherFor(t)
  await publisher.publish(decidedHit(), true)
  t.equal(await count(), 1)
  t.equal(publisher.after, 1)
})
