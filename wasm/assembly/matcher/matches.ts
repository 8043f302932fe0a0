import { MATCH_BYTES, MAX_MATCHES } from './layout'

/** The matches of a check so far, most probable first, on ties the earlier entry; only the best MAX_MATCHES are kept. */
export const matches: usize = memory.data(256 * 24, 8)
export let matchCount: u32 = 0

export function clearMatches(): void {
  matchCount = 0
}

export function addMatch(probability: f64, index: u32, alignment: u32, gap: u32, lane: u32): void {
  let place = matchCount
  if (place == MAX_MATCHES) {
    place--
    if (!isBefore(probability, index, place)) return
  } else {
    matchCount++
  }
  while (place > 0 && isBefore(probability, index, place - 1)) {
    memory.copy(matches + place * MATCH_BYTES, matches + (place - 1) * MATCH_BYTES, MATCH_BYTES)
    place--
  }
  const match = matches + place * MATCH_BYTES
  store<f64>(match, probability)
  store<u32>(match, index, 8)
  store<u32>(match, alignment, 12)
  store<u32>(match, gap, 16)
  store<u32>(match, lane, 20)
}

@inline
function isBefore(probability: f64, index: u32, place: u32): bool {
  const other = load<f64>(matches + place * MATCH_BYTES)
  return probability > other || (probability == other && index < load<u32>(matches + place * MATCH_BYTES, 8))
}
