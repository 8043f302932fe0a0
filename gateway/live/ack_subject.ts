/**
 * Where a JetStream delivery stands, from its reply subject:
 *
 *     $JS.ACK.<stream>.<consumer>.<attempt>.<stream seq>.<consumer seq>.<time>.<pending>
 *     $JS.ACK.<domain>.<account>.<stream>.<consumer>.<attempt>.<stream seq>.<consumer seq>.<time>.<pending>[.<token>]    newer servers
 *
 * @throws when it is none of these
 */
export function parseAckSubject(reply: string | undefined): { streamSeq: number; consumerSeq: number } {
  const tokens = (reply ?? '').split('.')
  const skip = tokens.length >= 11 ? 2 : 0
  const streamSeq = Number(tokens[5 + skip])
  const consumerSeq = Number(tokens[6 + skip])
  if (
    tokens[0] !== '$JS' ||
    tokens[1] !== 'ACK' ||
    !Number.isSafeInteger(streamSeq) ||
    !Number.isSafeInteger(consumerSeq)
  ) {
    throw new Error('not a delivery of JetStream')
  }
  return { streamSeq, consumerSeq }
}
