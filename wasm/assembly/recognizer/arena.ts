import { OK, REFUSED_MEMORY } from './layout'

/** First free byte; only increases, while the model is loaded. */
let free: usize = (__heap_base + 63) & ~63

/** Allocates `bytes` zeroed bytes, 64-byte aligned. Returns 0 when memory is at its limit. */
export function place(bytes: usize): usize {
  const at = free
  const end = (at + bytes + 63) & ~63
  if (grow(end) != OK) return 0
  memory.fill(at, 0, bytes)
  free = end
  return at
}

/** End of everything allocated so far. */
export function placedEnd(): usize {
  return free
}

/** Grows memory so that every byte below `end` is usable. */
export function grow(end: usize): i32 {
  const pages = <i32>((end + 0xffff) >> 16)
  const missing = pages - memory.size()
  if (missing > 0 && memory.grow(missing) < 0) return REFUSED_MEMORY
  return OK
}

/**
 * Scratch bytes after everything allocated: the next call may return the same ones. 0 when memory is at its limit.
 */
export function stage(bytes: usize): usize {
  return grow(free + bytes) == OK ? free : 0
}
