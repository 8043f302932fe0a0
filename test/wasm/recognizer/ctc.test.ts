import t from 'tap'
import { loadProbe } from './probe.js'
import { Random } from '../random.js'
import { textProbabilities } from '../twin/ctc.js'

const probe = await loadProbe()
const CLASSES = 37
const scratch = probe.probeStage(1 << 20)
const results = scratch + (1 << 19)

/** Columns of only the `used` classes and the blank, so that brute force has few paths. */
function randomColumns(random: Random, count: number, used: number[]): number[][] {
  return Array.from({ length: count }, () => {
    const column = new Array<number>(CLASSES).fill(0)
    const weights = [0, ...used].map(() => random.next() ** 3 + 0.001)
    const sum = weights.reduce((a, b) => a + b, 0)
    ;[0, ...used].forEach((c, i) => {
      column[c] = weights[i]! / sum
    })
    return column
  })
}

function writeColumns(columns: number[][]): void {
  new Float64Array(probe.memory.buffer, scratch, columns.length * CLASSES).set(columns.flat())
}

/** Classes of a prefix, base 37. */
function classesOf(prefix: bigint): number[] {
  const classes: number[] = []
  for (let rest = prefix; rest > 0n; rest /= 37n) classes.unshift(Number(rest % 37n))
  return classes
}

function beam(columns: number[][], width: number): { text: string; probability: number }[] {
  writeColumns(columns)
  const count = probe.probeBeam(scratch, columns.length, width, results)
  const view = new DataView(probe.memory.buffer, results, count * 16)
  return Array.from({ length: count }, (_, i) => ({
    text: classesOf(view.getBigUint64(i * 16, true)).join('-'),
    probability: view.getFloat64(i * 16 + 8, true),
  }))
}

t.test('a wide enough beam finds every text with its exact probability', (t) => {
  const random = new Random(1)
  for (let i = 0; i < 60; i++) {
    const used = random.pick([[1], [5, 36], [11, 12]])
    const columns = randomColumns(random, random.whole(1, used.length === 1 ? 7 : 4), used)
    const wanted = [...textProbabilities(columns)].sort((a, b) => b[1] - a[1])
    const found = beam(columns, 32).filter((f) => f.probability > 0)
    t.equal(found.length, Math.min(32, wanted.length), `${wanted.length} texts`)
    for (const { text, probability } of found) {
      const exact = wanted.find(([key]) => key === text)?.[1] ?? NaN
      if (!(Math.abs(exact - probability) < 1e-12)) t.fail(`${text}: ${probability} instead of ${exact}`)
    }
    const sorted = found.every((f, k) => k === 0 || found[k - 1]!.probability >= f.probability)
    t.ok(sorted, 'most probable first')
  }
  t.end()
})

t.test('a narrow beam finds the same best text when the columns are fairly certain', (t) => {
  const random = new Random(2)
  for (let i = 0; i < 40; i++) {
    const columns = randomColumns(random, 9, [3, 20]).map((column) => {
      const top = random.pick([0, 3, 20])
      return column.map((p, c) => 0.1 * p + (c === top ? 0.9 : 0))
    })
    const best = [...textProbabilities(columns)].sort((a, b) => b[1] - a[1])[0]!
    const [first] = beam(columns, 8)
    t.equal(first!.text, best[0])
    t.ok(Math.abs(first!.probability - best[1]) < 0.01 * best[1])
  }
  t.end()
})

t.test('no text exceeds 12 characters, however many columns there are', (t) => {
  const columns = Array.from({ length: 128 }, (_, i) => {
    const column = new Array<number>(CLASSES).fill(0.0001)
    column[i % 2 === 0 ? 0 : 1 + (i % 36)] = 0.9964
    return column
  })
  for (const { text } of beam(columns, 32)) t.ok(text.split('-').length <= 12)
  t.end()
})

t.test('uniform columns neither underflow nor fail', (t) => {
  const columns = Array.from({ length: 128 }, () => new Array<number>(CLASSES).fill(1 / 37))
  const found = beam(columns, 8)
  t.equal(found.length, 8)
  t.ok(found.every((f) => f.probability > 0))
  t.end()
})

t.test('position posteriors are the exact probabilities of the text with one character replaced or left out', (t) => {
  const random = new Random(3)
  for (let i = 0; i < 40; i++) {
    const used = random.pick([
      [4, 9],
      [4, 9, 30],
    ])
    const columns = randomColumns(random, random.whole(2, used.length === 2 ? 7 : 6), used)
    const all = textProbabilities(columns)
    const texts = [...all].filter(([key]) => key !== '').sort((a, b) => b[1] - a[1])
    const text = random.pick(texts.slice(0, 4))[0].split('-').map(Number)
    writeColumns(columns)
    new Uint8Array(probe.memory.buffer, results, text.length).set(text)
    const out = results + 64
    probe.probePositions(scratch, columns.length, results, text.length, out)
    const got = new Float64Array(probe.memory.buffer, out, text.length * CLASSES)
    text.forEach((_, position) => {
      const wanted = Array.from({ length: CLASSES }, (_, c) => {
        const other = c === 0 ? text.toSpliced(position, 1) : text.toSpliced(position, 1, c)
        return all.get(other.join('-')) ?? 0
      })
      const sum = wanted.reduce((a, b) => a + b, 0)
      const off = wanted.reduce((most, w, c) => Math.max(most, Math.abs(w / sum - got[position * CLASSES + c]!)), 0)
      t.ok(off < 1e-9, `${text.join('-')}, position ${position}: off by ${off}`)
    })
  }
  t.end()
})
