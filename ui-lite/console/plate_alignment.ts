/** One column of an alignment: a character of each plate, or an empty string where a plate has none. */
export interface AlignmentColumn {
  read: string
  listed: string
  same: boolean
}

/**
 * Aligns the read with the listed plate so that the fewest characters differ (edit distance). Takes time and memory
 * proportional to the product of the lengths; plates have about ten characters.
 */
export function alignPlates(read: string, listed: string): AlignmentColumn[] {
  const rows = read.length + 1
  const cols = listed.length + 1
  const cost = Array.from({ length: rows }, (_, i) =>
    Array.from({ length: cols }, (_, j) => (i === 0 ? j : j === 0 ? i : 0)),
  )
  const at = (i: number, j: number) => cost[i]![j]!
  for (let i = 1; i < rows; i++) {
    for (let j = 1; j < cols; j++) {
      cost[i]![j] = Math.min(
        at(i - 1, j - 1) + Number(read[i - 1] !== listed[j - 1]),
        at(i - 1, j) + 1,
        at(i, j - 1) + 1,
      )
    }
  }
  const columns: AlignmentColumn[] = []
  let i = read.length
  let j = listed.length
  while (i > 0 || j > 0) {
    const r = i > 0 ? read[i - 1]! : ''
    const l = j > 0 ? listed[j - 1]! : ''
    if (i > 0 && j > 0 && at(i, j) === at(i - 1, j - 1) + Number(r !== l)) {
      columns.unshift({ read: r, listed: l, same: r === l })
      i--
      j--
    } else if (i > 0 && (j === 0 || at(i, j) === at(i - 1, j) + 1)) {
      columns.unshift({ read: r, listed: '', same: false })
      i--
    } else {
      columns.unshift({ read: '', listed: l, same: false })
      j--
    }
  }
  return columns
}
