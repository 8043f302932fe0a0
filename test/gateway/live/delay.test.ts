import t from 'tap'
import { DelayMeter } from '../../../gateway/live/delay.js'

t.test('the delay is the median of the latest hits, and unknown without them', (t) => {
  const meter = new DelayMeter()
  t.equal(meter.median(0), undefined)
  for (const delay of [100, 900, 300]) meter.add(10_000 - delay, 10_000)
  t.equal(meter.median(10_000), 300)
  meter.add(Number.NaN, 10_000)
  meter.add(11_000, 10_500)
  t.equal(meter.median(10_500), 300, 'a capture in the future counts as no delay')
  t.equal(meter.median(80_000), undefined)
  t.end()
})
