/**
 * Stream and consumer sequence of a JetStream delivery, from its ack subject (the reply subject):
 *
 *     $JS.ACK.<stream>.<consumer>.<attempt>.<stream seq>.<consumer seq>.<time>.<pending>
 *     $JS.ACK.<domain>.<account>.<stream>.<consumer>.<attempt>.<stream seq>.<consumer seq>.<time>.<pending>[.<token>]
 *
 * Newer servers send the second form.
 * @throws if the subject has neither form
 */
export function parseAckSubject(subject: string | undefined): { streamSeq: number; consumerSeq: number } {
  const tokens = (subject ?? '').split('.')
  const skip = tokens.length >= 11 ? 2 : 0
  const streamSeq = Number(tokens[5 + skip])
  const consumerSeq = Number(tokens[6 + skip])
  if (
    tokens[0] !== '$JS' ||
    tokens[1] !== 'ACK' ||
    !Number.isSafeInteger(streamSeq) ||
    !Number.isSafeInteger(consumerSeq)
  ) {
    throw new Error('not a JetStream delivery')
  }
  return { streamSeq, consumerSeq }
}
