import t from 'tap'
import { Latency } from '../../../bench/report/latency.js'

t.test('percentiles survive the way to another process', async (t) => {
  const latency = new Latency()
  for (let i = 1; i <= 1_000; i++) latency.add(i)
  t.ok(Math.abs(latency.at(50) - 500) < 5 && Math.abs(latency.at(99) - 990) < 5 && Math.abs(latency.most - 1_000) < 5)
  const there = new Latency()
  there.addAll(latency.counts)
  t.equal(there.count, latency.count)
  for (const p of [50, 90, 99, 99.9]) t.ok(Math.abs(there.at(p) - latency.at(p)) <= latency.at(p) * 0.02, `p${p}`)
})
