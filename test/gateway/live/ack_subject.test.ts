import t from 'tap'
import { parseAckSubject } from '../../../gateway/live/ack_subject.js'

t.test('ack subjects of old and new servers parse, others throw', (t) => {
  t.same(parseAckSubject('$JS.ACK.HITS.abc.1.25.7.1690000000000000000.3'), { streamSeq: 25, consumerSeq: 7 })
  t.same(parseAckSubject('$JS.ACK.hub.ACCHASH.HITS.abc.1.25.7.1690000000000000000.3'), {
    streamSeq: 25,
    consumerSeq: 7,
  })
  t.same(parseAckSubject('$JS.ACK.hub.ACCHASH.HITS.abc.1.25.7.1690000000000000000.3.rnd'), {
    streamSeq: 25,
    consumerSeq: 7,
  })
  for (const reply of [undefined, '', '_INBOX.abc', '$JS.ACK.HITS']) t.throws(() => parseAckSubject(reply))
  t.end()
})
