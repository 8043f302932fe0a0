import { headers, nuid, type NatsConnection } from 'nats'
import { partitionOfCamera, readPartitioning } from './partitioning.js'
import { BUCKET } from './topology.js'

/** Messages with this header are looking for a mapping. */
export const EXPECTED_STREAM = 'Nats-Expected-Stream'

/** Names that are probed: together they hit every partition of small numbers, and differ for any two numbers. */
const kProbes = 24
/** How long the server may take, ms. */
const kProbeMs = 2_000
/** What a mapping may put before the camera. */
const kShapes = ['', '*.', '*.*.', '*.*.*.']

/**
 * What the server does to the subjects of publishers, found out with messages that no stream stores.
 * @returns one sentence for each entrance that it does not map to `count` partitions, with what it does instead
 * @param nonce lower-case letters and digits that no other probe uses
 * @throws what the client throws when the server does not answer
 */
export async function probeMapping(connection: NatsConnection, count: number, nonce: string): Promise<string[]> {
  const problems: string[] = []
  for (const root of ['frames', 'detections']) {
    const problem = await probeEntrance(connection, root, count, nonce)
    if (problem) problems.push(problem)
  }
  return problems
}

/** The stored number of partitions, and what is wrong with the mapping of the server; 0 before the first engine. */
export async function checkPartitions(connection: NatsConnection): Promise<{ partitions: number; problems: string[] }> {
  const bucket = await connection.jetstream().views.kv(BUCKET.partitions, { bindOnly: true })
  const found = await readPartitioning(bucket)
  if (!found) return { partitions: 0, problems: ['no engine has started yet'] }
  const { partitions } = found.partitioning
  return { partitions, problems: await probeMapping(connection, partitions, nuid.next().toLowerCase()) }
}

/** How many partitions the server maps publishers to; 1 when it maps them to none. */
export async function mappedCount(connection: NatsConnection): Promise<number> {
  const [found] = (await subjectsOfProbes(connection, 'frames', [`probe-${nuid.next().toLowerCase()}`])).values()
  const [, count, partition, camera] = found?.split('.') ?? []
  return camera !== undefined && Number(partition) < Number(count) ? Number(count) : 1
}

async function probeEntrance(
  connection: NatsConnection,
  root: string,
  count: number,
  nonce: string,
): Promise<string | undefined> {
  const names = Array.from({ length: kProbes }, (_, n) => `probe-${nonce}-${n}`)
  const seen = await subjectsOfProbes(connection, root, names)
  for (const name of names) {
    const expected = [
      `${root}.${count}.${partitionOfCamera(name, count)}.${name}`,
      ...(count === 1 ? [`${root}.${name}`] : []),
    ]
    const found = seen.get(name)
    if (found === undefined) return `no answer about ${root}.*: may this user publish and subscribe to it?`
    if (!expected.includes(found)) return `${root}.* arrives as ${found.replace(name, '<camera>')}`
  }
  return undefined
}

/** The subject that each name arrives under when it is published as a camera. */
async function subjectsOfProbes(
  connection: NatsConnection,
  root: string,
  names: readonly string[],
): Promise<Map<string, string>> {
  const seen = new Map<string, string>()
  const subscriptions = names.flatMap((name) =>
    kShapes.map((shape) =>
      connection.subscribe(`${root}.${shape}${name}`, { callback: (_, { subject }) => void seen.set(name, subject) }),
    ),
  )
  // Each stream refuses a message that is meant for another stream; subscribers get it all the same.
  const header = headers()
  header.set(EXPECTED_STREAM, 'none')
  try {
    await connection.flush()
    for (const name of names) connection.publish(`${root}.${name}`, '', { headers: header })
    const deadline = performance.now() + kProbeMs
    while (seen.size < names.length && performance.now() < deadline) await connection.flush()
    return seen
  } finally {
    for (const subscription of subscriptions) subscription.unsubscribe()
  }
}
