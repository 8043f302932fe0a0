/** For benchmarks: reads every byte from `from` to `end` (multiples of 64) once, at memory bandwidth. */
export function memoryScan(from: usize, end: usize): u32 {
  let a = i8x16.splat(0)
  let b = a
  let c = a
  let d = a
  for (let at = from; at < end; at += 64) {
    a = v128.or(a, v128.load(at))
    b = v128.or(b, v128.load(at, 16))
    c = v128.or(c, v128.load(at, 32))
    d = v128.or(d, v128.load(at, 48))
  }
  return <u32>i8x16.bitmask(v128.or(v128.or(a, b), v128.or(c, d)))
}
