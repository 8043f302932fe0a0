import fc from 'fast-check'
import t from 'tap'
import type { HotListEntry } from '../../../engine/hotlists/hotlist.js'
import { entriesVersion, entryLines, mergeEntries, parseEntryLines } from '../../../engine/hotlists/hotlist_entries.js'

const anEntry = fc.record({
  plate: fc.constantFrom('A1', 'B2', 'C3'),
  reason: fc.constantFrom('x', 'y'),
  from: fc.option(fc.integer({ min: 0, max: 20 }), { nil: undefined }),
  until: fc.option(fc.integer({ min: 21, max: 40 }), { nil: undefined }),
})
const someEntries = fc.array(anEntry, { maxLength: 12 })

t.test('entries of one plate whose times touch become one; other times stay separate', async (t) => {
  t.same(
    mergeEntries([
      { plate: 'A1', reason: 'b' },
      { plate: 'A1', reason: 'a' },
    ]),
    [{ plate: 'A1', reason: 'a; b', region: undefined, from: undefined, until: undefined }],
  )
  t.equal(
    mergeEntries([
      { plate: 'A1', reason: 'a', from: 0, until: 10 },
      { plate: 'A1', reason: 'a', from: 20, until: 30 },
    ]).length,
    2,
  )
})

t.test('merged entries cover the same times, at most one at a time, in any order of loading', async () => {
  const inForce = (entries: readonly HotListEntry[], plate: string, time: number) =>
    entries.filter((e) => e.plate === plate && time >= (e.from ?? -Infinity) && time < (e.until ?? Infinity)).length
  fc.assert(
    fc.property(someEntries, fc.nat(1000), (entries, seed) => {
      const merged = mergeEntries(entries)
      const shuffled = [...entries].sort(
        (a, b) => ((JSON.stringify(a).length * seed) % 7) - ((JSON.stringify(b).length * seed) % 7),
      )
      if (entriesVersion(mergeEntries(shuffled)) !== entriesVersion(merged)) return false
      for (const plate of ['A1', 'B2', 'C3']) {
        for (let time = 0; time <= 41; time++) {
          const count = inForce(merged, plate, time)
          if (count > 1 || (count === 1) !== inForce(entries, plate, time) > 0) return false
        }
      }
      return true
    }),
  )
})

t.test('the text of entries parses back to the same entries', async () => {
  fc.assert(
    fc.property(fc.array(fc.record({ plate: fc.string(), reason: fc.string() })), (entries) => {
      const text = Buffer.from([...entryLines(entries)].join(''))
      return JSON.stringify(parseEntryLines(text)) === JSON.stringify(entries)
    }),
  )
})
