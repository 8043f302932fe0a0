/**
 * Counts of 255 and more: an open-addressing hash of (u32 slot + 1, u32 count). One thread writes; a reader sees a slot
 * only after its count.
 */

/** Sets the count of a slot. @returns whether the slot is new; a full table stays unchanged and returns false */
export function putLarge(table: usize, capacity: u32, slot: u32, count: u32): bool {
  if (capacity == 0) return false
  let at = place(slot, capacity)
  for (let tried: u32 = 0; tried < capacity; tried++) {
    const entry = table + <usize>at * 8
    const found = atomic.load<u32>(entry)
    if (found == slot + 1) {
      atomic.store<u32>(entry, count, 4)
      return false
    }
    if (found == 0) {
      atomic.store<u32>(entry, count, 4)
      atomic.store<u32>(entry, slot + 1)
      return true
    }
    at = (at + 1) & (capacity - 1)
  }
  return false
}

/** The count of a slot; 255, meaning that or more, when the table had no room for it. */
export function largeCount(table: usize, capacity: u32, slot: u32): u32 {
  if (capacity == 0) return 255
  let at = place(slot, capacity)
  for (let tried: u32 = 0; tried < capacity; tried++) {
    const entry = table + <usize>at * 8
    const found = atomic.load<u32>(entry)
    if (found == slot + 1) return atomic.load<u32>(entry, 4)
    if (found == 0) break
    at = (at + 1) & (capacity - 1)
  }
  return 255
}

@inline
function place(slot: u32, capacity: u32): u32 {
  return ((slot * 0x9e3779b1) >> 7) & (capacity - 1)
}
