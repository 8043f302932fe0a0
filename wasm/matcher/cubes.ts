import { CLASS_OF_CODE, CODE_BITS, CODE_COUNT } from './alphabet.js'

/** All codes whose bits under `mask` equal those of `value`. */
export interface Cube {
  mask: number
  value: number
}

/**
 * A small set of cubes that together contain every code of `members` and no other character's code; unused codes may be
 * in them. Greedy, the largest cubes first. One member is a cube of six bits; a pair of look-alikes is one of five.
 */
export function coverOf(members: ReadonlySet<number>): readonly Cube[] {
  let key = 0n
  for (const member of members) key |= 1n << BigInt(member)
  const cached = covers.get(key)
  if (cached) return cached
  const cubes = findCover(members)
  if (covers.size === MAX_COVERS) covers.clear()
  covers.set(key, cubes)
  return cubes
}

/** Covers by their members as bits: finding one takes a tenth of a millisecond, during which no thread searches yet. */
const covers = new Map<bigint, readonly Cube[]>()
const MAX_COVERS = 1_000

function findCover(members: ReadonlySet<number>): Cube[] {
  const allowed = (code: number): boolean => members.has(code) || CLASS_OF_CODE[code] === 255
  const open = new Set(members)
  const cubes: Cube[] = []
  while (open.size > 0) {
    let best: Cube | undefined
    let most = 0
    for (let mask = 0; mask < CODE_COUNT; mask++) {
      for (const member of open) {
        const value = member & mask
        let held = 0
        let fine = true
        for (let code = 0; code < CODE_COUNT && fine; code++) {
          if ((code & mask) !== value) continue
          fine = allowed(code)
          if (open.has(code)) held += 1
        }
        // among equals, the cube with fewer bits to test
        if (fine && (held > most || (held === most && bits(mask) < bits(best!.mask)))) {
          best = { mask, value }
          most = held
        }
      }
    }
    cubes.push(best!)
    for (const code of [...open]) if ((code & best!.mask) === best!.value) open.delete(code)
  }
  return cubes
}

function bits(mask: number): number {
  let count = 0
  for (let bit = 0; bit < CODE_BITS; bit++) count += (mask >> bit) & 1
  return count
}
