/**
 * The index of a hot list: an open-addressing hash from key (plate_key.ts) to the entries with that plate, and a Bloom
 * filter, which rejects all but a few percent of unlisted plates. A plate sets three bits of one word of the filter, so
 * that a query reads one word.
 *
 *     keys    u64 [capacity]       0: free
 *     lasts   u32 [capacity]       last entry of the plate
 *     nexts   u32 [entries]        the next entry of the same plate; the last leads back to the first
 *     filter  u64 [capacity / 8]   16 to 32 bits per plate
 */
let keys: usize = 0
let lasts: usize = 0
let nexts: usize = 0
let filter: usize = 0
let mask: u32 = 0
let wordMask: u32 = 0

/** `capacity`: a power of two, at least twice the entries; arrays zeroed by the host. */
export function openIndex(keysAt: usize, lastsAt: usize, nextsAt: usize, filterAt: usize, capacity: u32): void {
  keys = keysAt
  lasts = lastsAt
  nexts = nextsAt
  filter = filterAt
  mask = capacity - 1
  wordMask = (capacity >> 3) - 1
}

@inline
function mix(key: u64): u64 {
  let h = key * 0x9e3779b97f4a7c15
  h ^= h >> 32
  return h * 0xd6e8feb86659fd93
}

/** Address of the filter's word for a hash. */
@inline
function wordOf(h: u64): usize {
  return filter + (<usize>(<u32>(h >> 32) & wordMask) << 3)
}

@inline
function bitsOf(h: u64): u64 {
  return (<u64>1 << (h & 63)) | (<u64>1 << ((h >> 6) & 63)) | (<u64>1 << ((h >> 12) & 63))
}

/** Adds an entry; entries must be in ascending order. */
export function addEntry(key: u64, entry: u32): void {
  const h = mix(key)
  const word = wordOf(h)
  store<u64>(word, load<u64>(word) | bitsOf(h))
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

/**
 * Moves those of `count` texts (16 bytes each, the first eight the key) that may be listed to the front. No query of
 * the filter depends on the previous one, so the processor has many memory accesses in flight.
 * @returns the number of texts left
 */
export function keepListed(texts: usize, count: u32): u32 {
  let kept = texts
  const end = texts + (<usize>count << 4)
  for (let text = texts; text < end; text += 16) {
    const h = mix(load<u64>(text))
    const bits = bitsOf(h)
    v128.store(kept, v128.load(text))
    kept += (load<u64>(wordOf(h)) & bits) == bits ? 16 : 0
  }
  return <u32>((kept - texts) >> 4)
}

/** The last entry with this plate, or 0xffffffff. */
export function lastEntry(key: u64): u32 {
  let at = <u32>mix(key) & mask
  while (true) {
    const found = load<u64>(keys + (<usize>at << 3))
    if (found == key) return load<u32>(lasts + (<usize>at << 2))
    if (found == 0) return 0xffffffff
    at = (at + 1) & mask
  }
}

/** The next entry of the same plate; circular. */
@inline
export function nextEntry(entry: u32): u32 {
  return load<u32>(nexts + (<usize>entry << 2))
}
