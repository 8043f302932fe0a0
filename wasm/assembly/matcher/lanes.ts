import { CLASS_CUBES, CLASS_CUBE_COUNT, PLANE } from './layout'


/**
 * The inner loops of automaton.ts over vectors of 512 bits, four registers each. They are not inlined
 * (build/kernels_apart.mjs), because registers are allocated per function. A transition that does not exist is a vector
 * of zeros, so that there are no branches.
 */

/** to = from and taker, or run. @returns whether any bit is set */
export function enterRight(to: usize, from: usize, taker: usize, run: usize): bool {
  const a = v128.or(v128.and(v128.load(from), v128.load(taker)), v128.load(run))
  const b = v128.or(v128.and(v128.load(from, 16), v128.load(taker, 16)), v128.load(run, 16))
  const c = v128.or(v128.and(v128.load(from, 32), v128.load(taker, 32)), v128.load(run, 32))
  const d = v128.or(v128.and(v128.load(from, 48), v128.load(taker, 48)), v128.load(run, 48))
  v128.store(to, a)
  v128.store(to, b, 16)
  v128.store(to, c, 32)
  v128.store(to, d, 48)
  return v128.any_true(v128.or(v128.or(a, b), v128.or(c, d)))
}

/** to = from and taker, or run, or extra. @returns whether any bit is set */
export function enterExtra(to: usize, from: usize, taker: usize, run: usize, extra: usize): bool {
  const a = v128.or(
    v128.or(v128.and(v128.load(from), v128.load(taker)), v128.load(run)), v128.load(extra))
  const b = v128.or(
    v128.or(v128.and(v128.load(from, 16), v128.load(taker, 16)), v128.load(run, 16)), v128.load(extra, 16))
  const c = v128.or(
    v128.or(v128.and(v128.load(from, 32), v128.load(taker, 32)), v128.load(run, 32)), v128.load(extra, 32))
  const d = v128.or(
    v128.or(v128.and(v128.load(from, 48), v128.load(taker, 48)), v128.load(run, 48)), v128.load(extra, 48))
  v128.store(to, a)
  v128.store(to, b, 16)
  v128.store(to, c, 32)
  v128.store(to, d, 48)
  return v128.any_true(v128.or(v128.or(a, b), v128.or(c, d)))
}

/** to = from and taker, or any of the others. @returns whether any bit is set */
export function enterWrong(
  to: usize, from: usize, taker: usize, run: usize, extra: usize, misread: usize, missing: usize,
): bool {
  const a = v128.or(
    v128.or(v128.and(v128.load(from), v128.load(taker)), v128.load(run)),
    v128.or(v128.or(v128.load(extra), v128.load(misread)), v128.load(missing)))
  const b = v128.or(
    v128.or(v128.and(v128.load(from, 16), v128.load(taker, 16)), v128.load(run, 16)),
    v128.or(v128.or(v128.load(extra, 16), v128.load(misread, 16)), v128.load(missing, 16)))
  const c = v128.or(
    v128.or(v128.and(v128.load(from, 32), v128.load(taker, 32)), v128.load(run, 32)),
    v128.or(v128.or(v128.load(extra, 32), v128.load(misread, 32)), v128.load(missing, 32)))
  const d = v128.or(
    v128.or(v128.and(v128.load(from, 48), v128.load(taker, 48)), v128.load(run, 48)),
    v128.or(v128.or(v128.load(extra, 48), v128.load(misread, 48)), v128.load(missing, 48)))
  v128.store(to, a)
  v128.store(to, b, 16)
  v128.store(to, c, 32)
  v128.store(to, d, 48)
  return v128.any_true(v128.or(v128.or(a, b), v128.or(c, d)))
}

/**
 * The plates of a block whose character at a position is in a class: the position has `planes` for the bits `varying`;
 * `code` has the others.
 */
export function takersOf(to: usize, classAt: usize, planes: usize, varying: u32, code: u32): void {
  const end = classAt + CLASS_CUBES + load<u32>(classAt, CLASS_CUBE_COUNT) * 2
  let a = i8x16.splat(0)
  let b = a
  let c = a
  let d = a
  for (let cube = classAt + CLASS_CUBES; cube < end; cube += 2) {
    const mask = <u32>load<u8>(cube)
    const value = <u32>load<u8>(cube, 1)
    if ((value ^ code) & mask & ~varying) continue
    let wa = i8x16.splat(-1)
    let wb = wa
    let wc = wa
    let wd = wa
    for (let bits = varying & mask & value; bits != 0; bits &= bits - 1) {
      const plane = planeOf(planes, varying, ctz(bits))
      wa = v128.and(wa, v128.load(plane))
      wb = v128.and(wb, v128.load(plane, 16))
      wc = v128.and(wc, v128.load(plane, 32))
      wd = v128.and(wd, v128.load(plane, 48))
    }
    for (let bits = varying & mask & ~value; bits != 0; bits &= bits - 1) {
      const plane = planeOf(planes, varying, ctz(bits))
      wa = v128.andnot(wa, v128.load(plane))
      wb = v128.andnot(wb, v128.load(plane, 16))
      wc = v128.andnot(wc, v128.load(plane, 32))
      wd = v128.andnot(wd, v128.load(plane, 48))
    }
    a = v128.or(a, wa)
    b = v128.or(b, wb)
    c = v128.or(c, wc)
    d = v128.or(d, wd)
  }
  v128.store(to, a)
  v128.store(to, b, 16)
  v128.store(to, c, 32)
  v128.store(to, d, 48)
}

/** The same for the lanes `from` only, written to `to`. @returns whether there are any */
export function narrow(to: usize, from: usize, classAt: usize, planes: usize, varying: u32, code: u32): bool {
  let a = v128.load(from)
  let b = v128.load(from, 16)
  let c = v128.load(from, 32)
  let d = v128.load(from, 48)
  const cubes = load<u32>(classAt, CLASS_CUBE_COUNT)
  if (cubes == 1) {
    // nearly all classes: the lanes are combined with the cube's planes directly
    const mask = varying & <u32>load<u8>(classAt, CLASS_CUBES)
    const value = <u32>load<u8>(classAt, CLASS_CUBES + 1)
    for (let bits = mask & value; bits != 0; bits &= bits - 1) {
      const plane = planeOf(planes, varying, ctz(bits))
      a = v128.and(a, v128.load(plane))
      b = v128.and(b, v128.load(plane, 16))
      c = v128.and(c, v128.load(plane, 32))
      d = v128.and(d, v128.load(plane, 48))
    }
    for (let bits = mask & ~value; bits != 0; bits &= bits - 1) {
      const plane = planeOf(planes, varying, ctz(bits))
      a = v128.andnot(a, v128.load(plane))
      b = v128.andnot(b, v128.load(plane, 16))
      c = v128.andnot(c, v128.load(plane, 32))
      d = v128.andnot(d, v128.load(plane, 48))
    }
  } else {
    takersOf(to, classAt, planes, varying, code)
    a = v128.and(a, v128.load(to))
    b = v128.and(b, v128.load(to, 16))
    c = v128.and(c, v128.load(to, 32))
    d = v128.and(d, v128.load(to, 48))
  }
  v128.store(to, a)
  v128.store(to, b, 16)
  v128.store(to, c, 32)
  v128.store(to, d, 48)
  return v128.any_true(v128.or(v128.or(a, b), v128.or(c, d)))
}

/** to = to or from. */
export function joinLanes(to: usize, from: usize): void {
  for (let i: usize = 0; i < PLANE; i += 16) v128.store(to + i, v128.or(v128.load(to + i), v128.load(from + i)))
}

/** Planes of the higher bits come first. */
@inline
function planeOf(planes: usize, varying: u32, bit: u32): usize {
  return planes + <usize>popcnt(varying >> bit >> 1) * PLANE
}
