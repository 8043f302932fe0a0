import { AckPolicy, DeliverPolicy, nanos, nuid, type JetStreamManager } from 'nats'

/** The server forgets the consumer that counts after this long, ms, should it not be deleted. */
const kInactiveMs = 10_000

/** How many messages of a subject a stream has from this sequence on. */
export async function countFrom(
  manager: JetStreamManager,
  stream: string,
  seq: number,
  subject: string,
): Promise<number> {
  const { name, num_pending: count } = await manager.consumers.add(stream, {
    name: `count-${nuid.next()}`,
    filter_subject: subject,
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: seq,
    ack_policy: AckPolicy.None,
    inactive_threshold: nanos(kInactiveMs),
    num_replicas: 1,
    mem_storage: true,
  })
  await manager.consumers.delete(stream, name).catch(() => {})
  return count
}
