import { existsSync, readFileSync } from 'node:fs'
import type { NatsConnection } from 'nats'
import { saveHotList } from '../../engine/mod.js'

/** Makes a hot list of every plate in the truth of a feed, so that there are enough hits. @returns its entries */
export async function listTruth(connection: NatsConnection, feed: string): Promise<number> {
  const plates = truthBeside(feed)
  if (plates.length === 0) return 0
  await saveHotList(
    connection.jetstream(),
    {
      id: 'truth',
      name: 'All of the feed',
      kind: 'hot',
      priority: 'low',
      source: 'bench',
      tolerance: 'tolerant',
      threshold: 0.5,
    },
    plates.map((plate) => ({ plate, reason: 'bench' })),
  )
  return plates.length
}

/** Plates of `<feed>.truth.json`. */
function truthBeside(feed: string): string[] {
  const file = feed.replace(/\.mcap$/, '.truth.json')
  if (!existsSync(file)) return []
  const { passes } = JSON.parse(readFileSync(file, 'utf8')) as { passes: { plate: string | null }[] }
  return [...new Set(passes.flatMap(({ plate }) => (plate === null ? [] : [plate])))]
}
