/**
 * A hot list: an open hash from key (plate_key.ts) to the entries with that plate, and a filter in front of it, 16 bits a plate, which stays in
 * the processor's cache and answers most questions.
 *
 *     keys    u64 [capacity]     0: free
 *     lasts   u32 [capacity]     last entry of the plate
 *     nexts   u32 [entries]      the next entry of the same plate; the last one leads back to the first
 *     filter  capacity * 8 bits
 */
let keys: usize = 0
let lasts: usize = 0
let nexts: usize = 0
let filter: usize = 0
let mask: u32 = 0
let filterMask: u32 = 0

/** `capacity`: a power of two, at least twice the entries; arrays zeroed by the host. */
export function openIndex(keysAt: usize, lastsAt: usize, nextsAt: usize, filterAt: usize, capacity: u32): void {
  keys = keysAt
  lasts = lastsAt
  nexts = nextsAt
  filter = filterAt
  mask = capacity - 1
  filterMask = capacity * 8 - 1
}

@inline
function mix(key: u64): u64 {
  let h = key * 0x9e3779b97f4a7c15
  h ^= h >> 32
  return h * 0xd6e8feb86659fd93
}

/** Adds an entry; entries must come in order. */
export function addEntry(key: u64, entry: u32): void {
  const h = mix(key)
  const bit = <u32>(h >> 32) & filterMask
  const byte = filter + (bit >> 3)
  store<u8>(byte, <u32>load<u8>(byte) | (1 << (bit & 7)))
  let at = <u32>h & mask
  while (true) {
    const found = load<u64>(keys + (<usize>at << 3))
    if (found == key) {
      const last = load<u32>(lasts + (<usize>at << 2))
      store<u32>(nexts + (<usize>entry << 2), load<u32>(nexts + (<usize>last << 2)))
      store<u32>(nexts + (<usize>last << 2), entry)
      store<u32>(lasts + (<usize>at << 2), entry)
      return
    }
    if (found == 0) {
      store<u64>(keys + (<usize>at << 3), key)
      store<u32>(lasts + (<usize>at << 2), entry)
      store<u32>(nexts + (<usize>entry << 2), entry)
      return
    }
    at = (at + 1) & mask
  }
}

/** The last entry with this plate, or 0xffffffff. */
@inline
export function lastEntry(key: u64): u32 {
  const h = mix(key)
  const bit = <u32>(h >> 32) & filterMask
  if (!(load<u8>(filter + (bit >> 3)) & (1 << (bit & 7)))) return 0xffffffff
  let at = <u32>h & mask
  while (true) {
    const found = load<u64>(keys + (<usize>at << 3))
    if (found == key) return load<u32>(lasts + (<usize>at << 2))
    if (found == 0) return 0xffffffff
    at = (at + 1) & mask
  }
}

/** The next entry of the same plate, in a circle. */
@inline
export function nextEntry(entry: u32): u32 {
  return load<u32>(nexts + (<usize>entry << 2))
}
