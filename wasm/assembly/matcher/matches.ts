import { MATCH_BYTES, MATCH_ENTRY, MAX_MATCHES, READ_AT, READ_MATCHES } from './layout'
import { workspace } from './workspace'

/**
 * The matches of the current read, most probable first, on ties the earlier entry; only the best 256 are kept. Each
 * entry occurs once, with its best probability.
 */
export let matchCount: u32 = 0

export function clearMatches(): void {
  matchCount = 0
}

@inline
export function matchesAt(): usize {
  return workspace + READ_AT + READ_MATCHES
}

/** @returns false when there are enough better matches, so that later entries of the same plate need not be added */
export function addMatch(probability: f64, index: u32): bool {
  const matches = matchesAt()
  let place = matchCount
  for (let i: u32 = 0; i < matchCount; i++) {
    if (load<u32>(matches + i * MATCH_BYTES, MATCH_ENTRY) != index) continue
    if (load<f64>(matches + i * MATCH_BYTES) >= probability) return true
    place = i
    break
  }
  if (place == matchCount) {
    if (matchCount == MAX_MATCHES) {
      place--
      if (!isBefore(probability, index, place)) return false
    } else {
      matchCount++
    }
  }
  while (place > 0 && isBefore(probability, index, place - 1)) {
    v128.store(matches + place * MATCH_BYTES, v128.load(matches + (place - 1) * MATCH_BYTES))
    place--
  }
  const match = matches + place * MATCH_BYTES
  store<f64>(match, probability)
  store<u32>(match, index, MATCH_ENTRY)
  return true
}

@inline
function isBefore(probability: f64, index: u32, place: u32): bool {
  const other = load<f64>(matchesAt() + place * MATCH_BYTES)
  if (probability != other) return probability > other
  return index < load<u32>(matchesAt() + place * MATCH_BYTES, MATCH_ENTRY)
}
