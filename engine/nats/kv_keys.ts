import type { JetStreamManager } from 'nats'

/**
 * Keys of a bucket under a prefix, as the leader of its stream has them. The client's own `keys` asks a consumer, and
 * in a cluster that may live beside a copy that lags: a key just written would be missing.
 * @param prefix tokens with a dot behind them
 */
export async function keysOf(manager: JetStreamManager, bucket: string, prefix: string): Promise<string[]> {
  const before = `$KV.${bucket}.`
  const { state } = await manager.streams.info(`KV_${bucket}`, { subjects_filter: `${before}${prefix}>` })
  return Object.keys(state.subjects ?? {}).map((subject) => subject.slice(before.length))
}
