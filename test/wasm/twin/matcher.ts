const CHARACTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const LOOK_ALIKES = ['0OQD', '1ILT', '8B', '5S', '2Z', '6G', '4A', 'VY', 'MN']
const LOOK_ALIKE = 0.012
const ANY = 0.002
const EXTRA_PRIOR = 0.02
const MISSING_PRIOR = 0.01

/** P(the plate has `listed` | the reader is sure of `read`). */
export function confusionTwin(read: string, listed: string): number {
  const group = LOOK_ALIKES.find((g) => g.includes(read))
  if (read === listed) return 1 - ANY - (group ? LOOK_ALIKE : 0)
  const any = ANY / 35
  return group?.includes(listed) ? any + LOOK_ALIKE / (group.length - 1) : any
}

/** The oracle: every entry, every alignment with at most one gap, no shortcut. Probability by entry index, 0 where no alignment exists. */
export function matchTwin(positions: readonly Float32Array[], entries: readonly string[]): number[] {
  const likely = positions.filter((p) => p[36]! <= 0.5)
  const emit = likely.map((p) => {
    const row = new Map<string, number>()
    for (const c of CHARACTERS) {
      let sum = 0
      ;[...CHARACTERS].forEach((r, i) => { sum += p[i]! * confusionTwin(r, c) })
      row.set(c, sum)
    }
    return row
  })
  const skip = likely.map((p) => p[36]! + EXTRA_PRIOR * (1 - p[36]!))
  const n = likely.length
  return entries.map((entry) => {
    if (!/^[0-9A-Z]{1,12}$/.test(entry) || n === 0 || n > 16) return 0
    const alignments: number[] = []
    if (entry.length === n) {
      let p = 1
      for (let i = 0; i < n; i++) p *= emit[i]!.get(entry[i]!)!
      alignments.push(p)
    }
    if (entry.length === n - 1) {
      for (let gap = 0; gap < n; gap++) {
        let p = 1
        for (let i = 0; i < n; i++) p *= i === gap ? skip[i]! : emit[i]!.get(entry[i < gap ? i : i - 1]!)!
        alignments.push(p)
      }
    }
    if (entry.length === n + 1) {
      for (let gap = 0; gap <= n; gap++) {
        let p = MISSING_PRIOR
        for (let i = 0; i < n; i++) p *= emit[i]!.get(entry[i < gap ? i : i + 1]!)!
        alignments.push(p)
      }
    }
    return Math.max(0, ...alignments)
  })
}
