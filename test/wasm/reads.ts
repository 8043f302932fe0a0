import type { Random } from './random.js'

export const CHARACTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'

/** A distribution over the 37 classes with `share` on one of them and a random tail on a few others. */
export function position(random: Random, top: number, share: number): Float32Array {
  const p = new Float32Array(37).fill(1e-5)
  p[top]! += share
  for (let k = 0; k < 3; k++) p[random.whole(0, 36)]! += ((1 - share) * random.next()) / 2
  const sum = p.reduce((a, b) => a + b, 0)
  return p.map((v) => v / sum)
}

/** The distribution of a read of `text`, with about `share` on each character. */
export function readOf(random: Random, text: string, share = 0.97): Float32Array[] {
  return [...text].map((c) => position(random, CHARACTERS.indexOf(c), share))
}

export function randomPlate(random: Random, least = 5, most = 8): string {
  return Array.from({ length: random.whole(least, most) }, () => random.pick([...CHARACTERS])).join('')
}
