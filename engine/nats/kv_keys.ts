import type { JetStreamManager } from 'nats'

/**
 * Keys of a bucket under a prefix, read from the leader of its stream. The client's own `keys` asks a consumer, which
 * in a cluster may live beside a replica that lags: a key just written would be missing.
 * @param prefix tokens, each followed by a dot
 */
export async function keysOf(manager: JetStreamManager, bucket: string, prefix: string): Promise<string[]> {
  const before = `$KV.${bucket}.`
  const { state } = await manager.streams.info(`KV_${bucket}`, { subjects_filter: `${before}${prefix}>` })
  return Object.keys(state.subjects ?? {}).map((subject) => subject.slice(before.length))
}
