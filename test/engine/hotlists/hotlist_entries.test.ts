import fc from 'fast-check'
import t from 'tap'
import type { HotListEntry } from '../../../engine/hotlists/hotlist.js'
import { EntrySorter } from '../../../engine/hotlists/entry_sorter.js'
import { EntryTable } from '../../../engine/hotlists/entry_table.js'
import {
  entriesVersion,
  entryLines,
  MAX_REASON,
  mergeEntries,
  parseEntryLines,
} from '../../../engine/hotlists/hotlist_entries.js'

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
    ]).entries,
    [{ plate: 'A1', reason: 'a; b', region: undefined, from: undefined, until: undefined }],
  )
  t.match(
    mergeEntries([
      { plate: 'A1', reason: 'a', region: 'NV' },
      { plate: 'A1', reason: 'b', region: 'CA' },
      { plate: 'A1', reason: 'c' },
    ]).entries,
    [{ plate: 'A1', reason: 'a; b; c', region: 'CA/NV' }],
    'the states stay',
  )
  t.equal(
    mergeEntries([
      { plate: 'A1', reason: 'a', from: 0, until: 10 },
      { plate: 'A1', reason: 'a', from: 20, until: 30 },
    ]).entries.length,
    2,
  )
})

t.test('merged entries cover the same times, at most one at a time, in any order of loading', async () => {
  const inForce = (entries: readonly HotListEntry[], plate: string, time: number) =>
    entries.filter((e) => e.plate === plate && time >= (e.from ?? -Infinity) && time < (e.until ?? Infinity)).length
  fc.assert(
    fc.property(someEntries, fc.nat(1000), (entries, seed) => {
      const merged = mergeEntries(entries).entries
      const shuffled = [...entries].sort(
        (a, b) => ((JSON.stringify(a).length * seed) % 7) - ((JSON.stringify(b).length * seed) % 7),
      )
      if (entriesVersion(mergeEntries(shuffled).entries) !== entriesVersion(merged)) return false
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

const sortedText = (entries: readonly HotListEntry[], sorter = new EntrySorter('x')) => {
  for (const entry of entries) sorter.add(entry)
  return new Uint8Array(Buffer.concat([...sorter.pieces()]))
}

t.test('the sorter gives the canonical text of the merged entries, in any order', async () => {
  const aPlate = fc.stringMatching(/^[A-Z0-9]{1,12}$/)
  const plates = fc.oneof(fc.constantFrom('A', 'A1', 'AB', 'ABC', 'ABC1', '9', '99999'), aPlate)
  const entries = fc.array(
    fc.tuple(anEntry, plates).map(([entry, plate]) => ({ ...entry, plate })),
    { maxLength: 40 },
  )
  fc.assert(
    fc.property(entries, (some) => {
      const text = Buffer.from(sortedText(some)).toString()
      return text === [...entryLines(mergeEntries(some).entries)].join('')
    }),
  )
})

t.test('a table finds the plates of a text, and the entry of each that is in force at a time', async () => {
  fc.assert(
    fc.property(someEntries, (some) => {
      const table = EntryTable.of(sortedText(some))
      const plates = Array.from({ length: table.length }, (_, i) => table.at(i)!)
      if (JSON.stringify(plates) !== JSON.stringify([...new Set(some.map(({ plate }) => plate))].sort())) return false
      const merged = mergeEntries(some).entries
      return plates.every((plate, i) =>
        Array.from({ length: 42 }, (_, time) => {
          const wanted = merged.find(
            (e) => e.plate === plate && time >= (e.from ?? -Infinity) && time < (e.until ?? Infinity),
          )
          return JSON.stringify(table.inForce(i, time)) === JSON.stringify(wanted)
        }).every(Boolean),
      )
    }),
  )
})

t.test('a text with a line that is not an entry is refused, naming the line', async (t) => {
  const bytes = (text: string) => new Uint8Array(Buffer.from(text))
  t.throws(() => EntryTable.of(bytes('{"plate":"A1","reason":""}\nno JSON\n')), { message: /line 2/ })
  t.throws(() => EntryTable.of(bytes('{"plate":"A1","reason":""}')), { message: /line 1/ })
  t.throws(() => EntryTable.of(bytes('{"plate":"')), { message: /line 1/ })
  const broken = EntryTable.of(bytes('{"plate":"A1", broken\n'))
  t.equal(broken.inForce(0, 0)!.reason, 'the entry cannot be read', 'the plate still gives a hit')
})

t.test('a hundred thousand lines of one plate merge in linear time into a bounded reason', async (t) => {
  const merged = (n: number) => {
    const sorter = new EntrySorter('x')
    const entries = Array.from({ length: n }, (_, i) => ({ plate: '7ABC123', reason: `case ${i} ${'x'.repeat(200)}` }))
    const start = performance.now()
    const [entry] = parseEntryLines(sortedText(entries, sorter))
    return { entry: entry!, ms: performance.now() - start, sorter }
  }
  merged(10_000)
  const few = merged(10_000)
  const many = merged(100_000)
  t.ok(many.ms < 60 * Math.max(few.ms, 20), `${few.ms} ms for 10,000, ${many.ms} ms for 100,000`)
  t.ok(many.entry.reason.length <= MAX_REASON + 30, `${many.entry.reason.length} characters`)
  t.match(many.entry.reason, /; and 999\d\d more$/)
  t.equal(many.sorter.cutReasons, 1)
  const [huge] = parseEntryLines(sortedText([{ plate: 'A1', reason: 'y'.repeat(1_000_000) }]))
  t.equal(huge!.reason.length, MAX_REASON)
})

t.test('of a hundred thousand times of one plate the right one is found', async (t) => {
  const entries = Array.from({ length: 100_000 }, (_, i) => ({
    plate: 'A1',
    reason: `${i}`,
    from: i * 10,
    until: i * 10 + 5,
  }))
  const table = EntryTable.of(sortedText(entries))
  t.equal(table.length, 1)
  for (const i of [0, 1, 31_415, 99_999]) t.equal(table.inForce(0, i * 10 + 4)?.reason, `${i}`)
  t.equal(table.inForce(0, 31_415 * 10 + 5), undefined)
})
