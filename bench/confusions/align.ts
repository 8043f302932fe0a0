import { CHARACTERS, NONE } from '../../wasm/mod.js'

/** Pairs of position and character in the best alignment of a read with its truth; undefined is a gap. */
export function align(positions: readonly Float32Array[], truth: string): [number | undefined, number | undefined][] {
  const width = truth.length + 1
  const score = new Float64Array((positions.length + 1) * width)
  const pair = (i: number, j: number) => positions[i]![CHARACTERS.indexOf(truth[j]!)]! - 0.25
  for (let i = 0; i <= positions.length; i++) {
    for (let j = 0; j <= truth.length; j++) {
      if (i === 0 && j === 0) continue
      score[i * width + j] = Math.max(
        i > 0 && j > 0 ? score[(i - 1) * width + j - 1]! + pair(i - 1, j - 1) : -Infinity,
        i > 0 ? score[(i - 1) * width + j]! + positions[i - 1]![NONE]! - 0.3 : -Infinity,
        j > 0 ? score[i * width + j - 1]! - 0.3 : -Infinity,
      )
    }
  }
  const steps: [number | undefined, number | undefined][] = []
  for (let i = positions.length, j = truth.length; i > 0 || j > 0; ) {
    const here = score[i * width + j]!
    if (i > 0 && j > 0 && here === score[(i - 1) * width + j - 1]! + pair(i - 1, j - 1)) steps.push([--i, --j])
    else if (i > 0 && here === score[(i - 1) * width + j]! + positions[i - 1]![NONE]! - 0.3)
      steps.push([--i, undefined])
    else steps.push([undefined, --j])
  }
  return steps.reverse()
}
