import fc from 'fast-check'
import t from 'tap'
import { pack, unpack } from '../../../engine/partition/packed.js'
import { similarity, Vote, type VoteJson } from '../../../engine/passes/vote.js'
import { CHARACTERS } from '../../../wasm/mod.js'
import { positionsOf } from './plates.js'

const plateText = fc.string({ unit: fc.constantFrom(...CHARACTERS), minLength: 1, maxLength: 10 })

function vote(...texts: [text: string, weight?: number, sure?: number][]): Vote {
  const result = Vote.empty()
  for (const [text, weight = 1, sure] of texts) result.add(positionsOf(text, sure), weight)
  return result
}

t.test('the vote of one detection is its own distribution', async (t) => {
  fc.assert(
    fc.property(
      plateText,
      fc.double({ min: 0.3, max: 0.999, noNaN: true }),
      fc.double({ min: 0.05, max: 1, noNaN: true }),
      (text, sure, weight) => {
        const positions = positionsOf(text, sure)
        const result = Vote.empty()
        result.add(positions, weight)
        result.positions().forEach((column, i) =>
          column.forEach((p, c) => {
            const expected = Math.max(positions[i]![c]!, 1e-4)
            if (Math.abs(p - expected) > 0.01) throw new Error(`position ${i} class ${c}: ${p} instead of ${expected}`)
          }),
        )
      },
    ),
  )
  t.pass()
})

t.test('equal detections give their text, with growing certainty', async (t) => {
  fc.assert(
    fc.property(plateText, fc.integer({ min: 2, max: 20 }), (text, n) => {
      const few = vote(...Array.from({ length: n - 1 }, (): [string] => [text])).best(1)[0]!
      const more = vote(...Array.from({ length: n }, (): [string] => [text])).best(1)[0]!
      return few.plate === text && more.plate === text && more.probability >= few.probability - 1e-6
    }),
  )
  t.pass()
})

t.test('the majority wins per position, not per text', async (t) => {
  // Each detection has another misread; no text comes twice, yet every position has a majority.
  t.equal(vote(['7ABC128'], ['7A8C123'], ['1ABC123']).best(1)[0]!.plate, '7ABC123')
})

t.test('a missed and an extra character are outvoted', async (t) => {
  t.equal(vote(['7ABC123'], ['7AC123'], ['7ABC123']).best(1)[0]!.plate, '7ABC123')
  t.equal(vote(['7ABC123'], ['7ABC1234'], ['7ABC123']).best(1)[0]!.plate, '7ABC123')
  t.equal(vote(['ABC123'], ['IABC123'], ['ABC123'], ['ABC123I']).best(1)[0]!.plate, 'ABC123')
})

t.test('a heavy detection outweighs a light one', async (t) => {
  t.equal(vote(['7ABC123', 1], ['7A8C123', 0.2]).best(1)[0]!.plate, '7ABC123')
  t.equal(vote(['7ABC123', 0.2], ['7A8C123', 1]).best(1)[0]!.plate, '7A8C123')
})

t.test('alternates are the other texts by probability', async (t) => {
  const best = vote(['7ABC123'], ['7A8C123'], ['7ABC123']).best(6)
  t.equal(best[0]!.plate, '7ABC123')
  t.equal(best[1]!.plate, '7A8C123')
  for (let i = 1; i < best.length; i++) t.ok(best[i]!.probability <= best[i - 1]!.probability)
})

t.test('a vote restored from a checkpoint continues bit for bit', async (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(plateText, fc.double({ min: 0.05, max: 1, noNaN: true })), { minLength: 1, maxLength: 8 }),
      plateText,
      (before, after) => {
        const straight = vote(...before)
        const restored = Vote.fromJSON(unpack(pack(straight)) as VoteJson)
        straight.add(positionsOf(after), 0.7)
        restored.add(positionsOf(after), 0.7)
        return (
          pack(straight) === pack(restored) && JSON.stringify(straight.best(5)) === JSON.stringify(restored.best(5))
        )
      },
    ),
  )
  t.pass()
})

t.test('votes are bounded for any input', async (t) => {
  fc.assert(
    fc.property(
      fc.array(plateText, { minLength: 1, maxLength: 40 }),
      (texts) => vote(...texts.map((text): [string] => [text])).positions().length <= 16,
    ),
  )
  t.pass()
})

t.test('similarity is 1 for equal texts, less for each misread, near 0 for unrelated ones', async (t) => {
  const of = (a: string, b: string) => similarity(positionsOf(a, 0.999), positionsOf(b, 0.999))
  t.ok(of('7ABC123', '7ABC123') > 0.98)
  t.ok(of('7ABC123', '7A8C123') > 0.8 && of('7ABC123', '7A8C123') < 0.9)
  t.ok(of('7ABC123', 'ABC123') > 0.8)
  t.ok(of('7ABC123', 'XYZW998') < 0.2)
  t.equal(similarity([], positionsOf('A')), 0)
})
