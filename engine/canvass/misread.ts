import { LOOK_ALIKES } from './pattern.js'

/**
 * How probable it is that a plate stored as `read` is really `wanted`, by the alignment with the fewest doubts: of the model, not calibrated. The same
 * numbers as the matcher's first confusion model: look-alike 0.012, any other character 0.002, a character missing 0.01 or extra 0.02.
 */
const LOOK_ALIKE = 0.012
const OTHER = 0.002
const MISSING = 0.01
const EXTRA = 0.02

/** 0..1; 1 for equal texts. */
export function misreadProbability(read: string, wanted: string): number {
  let row = Array.from({ length: wanted.length + 1 }, (_, j) => MISSING ** j)
  for (const [i, char] of [...read].entries()) {
    const next = [EXTRA ** (i + 1)]
    for (let j = 1; j <= wanted.length; j++) {
      next.push(Math.max(row[j - 1]! * substitution(char, wanted[j - 1]!), row[j]! * EXTRA, next[j - 1]! * MISSING))
    }
    row = next
  }
  return row[wanted.length]!
}

function substitution(read: string, wanted: string): number {
  if (read === wanted) return 1
  return LOOK_ALIKES.some((group) => group.includes(read) && group.includes(wanted)) ? LOOK_ALIKE : OTHER
}
