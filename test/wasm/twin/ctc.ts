/**
 * CTC by brute force over every path through the columns: the probability of each text. Texts are classes (1..) joined
 * by '-'. `columns`: probabilities by class, class 0 the blank.
 */
export function textProbabilities(columns: number[][]): Map<string, number> {
  const texts = new Map<string, number>()
  const walk = (t: number, last: number, text: number[], probability: number): void => {
    if (t === columns.length) {
      const key = text.join('-')
      texts.set(key, (texts.get(key) ?? 0) + probability)
      return
    }
    columns[t]!.forEach((p, c) => {
      if (p === 0) return
      walk(t + 1, c, c !== 0 && c !== last ? [...text, c] : text, probability * p)
    })
  }
  walk(0, 0, [], 1)
  return texts
}
