import { CHARACTERS } from './layout'

/**
 * P(the plate has c | the reader is sure of r): right mostly, sometimes a classic look-alike, seldom anything else. The reader's own
 * distribution carries what it was unsure about; this is for what it was surely wrong about (dirt, screws, worn paint).
 */
const LOOK_ALIKE: f64 = 0.012
const ANY: f64 = 0.002

/** Look-alike classes, as characters in ASCII. */
const GROUPS: StaticArray<string> = ['0OQD', '1ILT', '8B', '5S', '2Z', '6G', '4A', 'VY', 'MN']

const table: usize = memory.data(36 * 36 * 8, 8)

@inline
export function confusion(read: u32, listed: u32): f64 {
  return load<f64>(table + (read * CHARACTERS + listed) * 8)
}

export function fillConfusions(): void {
  for (let r: u32 = 0; r < CHARACTERS; r++) {
    const alikes = countAlikes(r)
    const right = 1 - ANY - (alikes > 0 ? LOOK_ALIKE : 0)
    for (let c: u32 = 0; c < CHARACTERS; c++) {
      let p = ANY / <f64>(CHARACTERS - 1)
      if (c == r) p = right
      else if (alike(r, c)) p += LOOK_ALIKE / <f64>alikes
      store<f64>(table + (r * CHARACTERS + c) * 8, p)
    }
  }
}

function countAlikes(r: u32): u32 {
  let count: u32 = 0
  for (let c: u32 = 0; c < CHARACTERS; c++) if (c != r && alike(r, c)) count++
  return count
}

function alike(a: u32, b: u32): bool {
  for (let i = 0; i < GROUPS.length; i++) {
    const group = unchecked(GROUPS[i])
    if (holds(group, a) && holds(group, b)) return true
  }
  return false
}

function holds(group: string, wanted: u32): bool {
  for (let i = 0; i < group.length; i++) {
    const code = group.charCodeAt(i)
    if (<u32>(code < 58 ? code - 48 : code - 55) == wanted) return true
  }
  return false
}
