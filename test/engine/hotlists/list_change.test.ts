import fc from 'fast-check'
import t from 'tap'
import { EntrySorter } from '../../../engine/hotlists/entry_sorter.js'
import type { HotListEntry } from '../../../engine/hotlists/hotlist.js'
import { ChangeCounter, type ListChange } from '../../../engine/hotlists/list_change.js'
import { guardShrink } from '../../../engine/hotlists/list_guard.js'

const NOW = 1_000

const textOf = (entries: readonly HotListEntry[]): Buffer => {
  const sorter = new EntrySorter('x')
  for (const entry of entries) sorter.add(entry)
  return Buffer.concat([...sorter.pieces()])
}

function* cut(text: Buffer, size: number): Generator<Uint8Array> {
  for (let at = 0; at < text.length; at += size) yield text.subarray(at, at + size)
}

const entriesOf = fc.array(
  fc.record(
    {
      plate: fc.stringMatching(/^[AB1]{1,3}$/),
      reason: fc.constantFrom('', 'stolen', 'a "quoted", "until":5}'),
      until: fc.constantFrom(500, 1_500),
    },
    { requiredKeys: ['plate', 'reason'] },
  ),
  { maxLength: 30 },
)

/** The same counts, from maps of the lines of each plate. */
function counted(before: Buffer, after: Buffer): ListChange {
  const mapOf = (text: Buffer) => {
    const map = new Map<string, string[]>()
    for (const line of text.toString().split('\n').filter(Boolean)) {
      const { plate } = JSON.parse(line) as HotListEntry
      map.set(plate, [...(map.get(plate) ?? []), line])
    }
    return map
  }
  const [old, now] = [mapOf(before), mapOf(after)]
  const isOpen = (lines: string[]) => lines.some((line) => ((JSON.parse(line) as HotListEntry).until ?? Infinity) > NOW)
  const count = (map: Map<string, string[]>, is: (lines: string[], plate: string) => boolean) =>
    [...map].filter(([plate, lines]) => is(lines, plate)).length
  return {
    before: old.size,
    after: now.size,
    added: count(now, (_, plate) => !old.has(plate)),
    removed: count(old, (_, plate) => !now.has(plate)),
    changed: count(now, (lines, plate) => old.has(plate) && old.get(plate)!.join() !== lines.join()),
    openBefore: count(old, isOpen),
    openAfter: count(now, isOpen),
  }
}

t.test('a change is counted alike, however the texts are cut into pieces', async () => {
  await fc.assert(
    fc.asyncProperty(entriesOf, entriesOf, fc.integer({ min: 1, max: 200 }), async (old, now, size) => {
      const [before, after] = [textOf(old), textOf(now)]
      const counter = new ChangeCounter(cut(before, size), NOW)
      for (const piece of cut(after, Math.max(1, 201 - size))) await counter.add(piece)
      const expected = counted(before, after)
      const found = await counter.end()
      for (const [name, value] of Object.entries(expected))
        if (found[name as keyof ListChange] !== value)
          throw new Error(`${name}: ${JSON.stringify({ found, expected })}`)
    }),
    { numRuns: 500 },
  )
})

t.test('a list that becomes empty or much smaller is refused', async (t) => {
  const file = { lines: 100, bad: 0 }
  const change = (before: number, after: number, openBefore = before, openAfter = after): ListChange => ({
    ...{ before, after, openBefore, openAfter, added: 0, changed: 0 },
    removed: Math.max(0, before - after),
  })
  const refused = (found: ListChange, reason: RegExp, share = 0.2, read = file) =>
    t.throws(() => guardShrink('stolen', found, read, share), { code: 'ALPR_ERR_HOTLIST_SHRINKS', message: reason })
  const taken = (found: ListChange, share = 0.2, read = file) => guardShrink('stolen', found, read, share)
  refused(change(2, 0), /the file has no plate; the list in force has 2/)
  refused(change(0, 0), /the file has no plate/)
  refused(change(2, 0), /all 100 lines are invalid/, 1, { lines: 100, bad: 100 })
  refused(change(1_000, 500), /from 1000 to 500 plates, by 50 %; at most 20 %/)
  refused(change(1_000, 799), /from 1000 to 799/)
  refused(change(1_000, 1_000, 1_000, 100), /from 1000 to 100/)
  refused(change(5, 5, 5, 0), /all 5 entries of the file have ended/)
  refused(change(0, 40), /60 of 100 lines are invalid/, 0.2, { lines: 100, bad: 60 })
  taken(change(1_000, 800))
  taken(change(1_000, 500), 0.5)
  taken(change(0, 1))
  taken(change(1_000, 5_000))
  taken(change(500, 500, 0, 0))
  t.pass()
})
