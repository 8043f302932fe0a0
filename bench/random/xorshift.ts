/**
 * Random numbers from 0 (included) to 1 (excluded) that are the same for the same seed (xorshift32).
 * @param seed not 0
 */
export function xorshift(seed: number): () => number {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 4_294_967_296
  }
}
