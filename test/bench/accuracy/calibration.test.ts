import t from 'tap'
import { binsOf, calibrationError } from '../../../bench/accuracy/calibration.js'

const stated = (confidence: number, reads: number, right: number) =>
  Array.from({ length: reads }, (_, i) => ({ confidence, right: i < right }))

t.test('true confidences have no calibration error, overstated ones have the difference', (t) => {
  t.ok(calibrationError([...stated(0.75, 8, 6), ...stated(0.5, 4, 2)]) < 1e-12)
  t.ok(Math.abs(calibrationError(stated(0.9, 10, 6)) - 0.3) < 1e-12)
  // 10 reads that overstate by 0.3, and 30 that are true
  t.ok(Math.abs(calibrationError([...stated(0.9, 10, 6), ...stated(0.5, 30, 15)]) - 0.075) < 1e-12)
  t.end()
})

t.test('bins are ordered by stated confidence, empty ones are left out, and 1 is in the last', (t) => {
  t.same(binsOf([...stated(1, 2, 2), ...stated(0.25, 4, 1)]), [
    { from: 0.2, to: 0.3, reads: 4, confidence: 0.25, right: 0.25 },
    { from: 0.9, to: 1, reads: 2, confidence: 1, right: 1 },
  ])
  t.end()
})
