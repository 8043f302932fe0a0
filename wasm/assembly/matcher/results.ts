import { RESULTS_AT, RESULT_BYTES, RESULT_LAST, RESULT_SLOT } from './layout'
import { workspace } from './workspace'

/**
 * The best results so far: a heap whose root is the worst of them. Better means more probable (to the 24 bits of an
 * f32, so that the order of factors is irrelevant), then seen later, then the higher slot, which is scanned first, so
 * that of many equal plates few are weighed.
 */
export let resultCount: u32 = 0
let wanted: u32 = 0

/**
 * Threads of one search share a floor, an f32: a thread with as many results as wanted raises it to the probability of
 * its worst result, and no thread keeps less probable plates. A race may lower the floor again, which is still correct.
 * 0: this instance searches alone.
 */
let floorAt: usize = 0

/** Shares the floor at this address; the host sets it to 0 before each search. */
export function shareFloor(address: usize): void {
  floorAt = address
}

@inline
function floor(): f32 {
  return floorAt == 0 ? 0 : reinterpret<f32>(atomic.load<u32>(floorAt))
}

function raiseFloor(): void {
  const worst = <f32>load<f64>(at(0))
  if (worst > floor()) atomic.store<u32>(floorAt, reinterpret<u32>(worst))
}

export function clearResults(limit: u32): void {
  resultCount = 0
  wanted = limit
}

@inline
function at(i: u32): usize {
  return workspace + RESULTS_AT + i * RESULT_BYTES
}

@inline
function better(a: usize, b: usize): bool {
  const p = <f32>load<f64>(a)
  const q = <f32>load<f64>(b)
  if (p != q) return p > q
  const r = load<u32>(a, RESULT_LAST)
  const s = load<u32>(b, RESULT_LAST)
  if (r != s) return r > s
  return load<u32>(a, RESULT_SLOT) > load<u32>(b, RESULT_SLOT)
}

/** Whether there are as many results as wanted. */
@inline
export function full(): bool {
  return resultCount == wanted
}

/** Whether no plate of at most this probability can still enter the results, whenever it was seen. */
@inline
export function hopeless(probability: f64): bool {
  return (resultCount == wanted && <f32>probability < <f32>load<f64>(at(0))) || <f32>probability < floor()
}

/** Whether a plate of this probability enters only if it was seen late enough. */
@inline
export function tied(probability: f64): bool {
  return resultCount == wanted && <f32>probability == <f32>load<f64>(at(0))
}

/** The same for a plate seen last at `last`. */
@inline
export function hopelessPlate(probability: f64, last: u32, slot: u32): bool {
  if (resultCount < wanted) return false
  const worst = at(0)
  const p = <f32>load<f64>(worst)
  if (<f32>probability != p) return <f32>probability < p
  const seen = load<u32>(worst, RESULT_LAST)
  return last != seen ? last < seen : slot < load<u32>(worst, RESULT_SLOT)
}

/**
 * A plate below this probability cannot enter, whenever it was seen: slightly less than the worst result's, because
 * ranks compare the 24 bits of an f32.
 */
@inline
export function leastHopeful(): f64 {
  return Math.max(resultCount < wanted ? 0 : load<f64>(at(0)), <f64>floor()) * (1 - 2e-7)
}

export function addResult(probability: f64, slot: u32, last: u32): void {
  if (wanted == 0) return
  const scratch = at(resultCount < wanted ? resultCount : wanted)
  store<f64>(scratch, probability)
  store<u32>(scratch, slot, RESULT_SLOT)
  store<u32>(scratch, last, RESULT_LAST)
  if (resultCount < wanted) {
    let child = resultCount++
    while (child > 0) {
      const parent = (child - 1) >> 1
      if (!better(at(parent), at(child))) break
      swap(parent, child)
      child = parent
    }
    if (floorAt != 0 && resultCount == wanted) raiseFloor()
    return
  }
  if (!better(scratch, at(0))) return
  v128.store(at(0), v128.load(scratch))
  let parent: u32 = 0
  while (true) {
    let child = parent * 2 + 1
    if (child >= resultCount) break
    if (child + 1 < resultCount && better(at(child), at(child + 1))) child++
    if (!better(at(parent), at(child))) break
    swap(parent, child)
    parent = child
  }
  if (floorAt != 0) raiseFloor()
}

@inline
function swap(a: u32, b: u32): void {
  const x = v128.load(at(a))
  v128.store(at(a), v128.load(at(b)))
  v128.store(at(b), x)
}
