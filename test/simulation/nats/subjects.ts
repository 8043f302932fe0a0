type Matcher = (subject: string) => boolean

/** By pattern: a run has few patterns and matches them often. */
const matchers = new Map<string, Matcher>()

/** Whether a subject matches a pattern with `*` and `>`. */
export function matches(pattern: string, subject: string): boolean {
  if (pattern === subject) return true
  let matcher = matchers.get(pattern)
  if (!matcher) {
    if (matchers.size > 1_000) matchers.clear()
    matcher = compile(pattern)
    matchers.set(pattern, matcher)
  }
  return matcher(subject)
}

function compile(pattern: string): Matcher {
  if (!isPattern(pattern)) return () => false
  const tail = pattern.endsWith('>') ? '>' : pattern.endsWith('.*') ? '*' : ''
  const head = pattern.slice(0, pattern.length - tail.length)
  if (tail !== '' && !head.includes('*')) {
    const isLonger = (subject: string) => subject.length > head.length && subject.startsWith(head)
    return tail === '>' ? isLonger : (subject) => isLonger(subject) && !subject.includes('.', head.length)
  }
  const wanted = pattern.split('.')
  return (subject) => {
    const tokens = subject.split('.')
    for (let i = 0; i < wanted.length; i++) {
      if (wanted[i] === '>') return tokens.length > i
      if (i >= tokens.length || (wanted[i] !== '*' && wanted[i] !== tokens[i])) return false
    }
    return tokens.length === wanted.length
  }
}

export const isPattern = (subject: string): boolean => subject.includes('*') || subject.endsWith('>')

/** Whether any subject can match both. */
export function overlap(a: string, b: string): boolean {
  const [left, right] = [a.split('.'), b.split('.')]
  for (let i = 0; ; i++) {
    const [x, y] = [left[i], right[i]]
    if (x === undefined && y === undefined) return true
    if (x === undefined || y === undefined) return false
    if (x === '>' || y === '>') return true
    if (x !== '*' && y !== '*' && x !== y) return false
  }
}

/** One line of a server's `mappings`: `frames.*` to `frames.{{partition(4,1)}}.{{wildcard(1)}}`. */
export type Mapping = readonly [source: string, destination: string]

/** The subject that the server makes of a published one. */
export function mapSubject(mappings: readonly Mapping[], subject: string): string {
  for (const [source, destination] of mappings) {
    if (!matches(source, subject)) continue
    const tokens = subject.split('.')
    const wild = source
      .split('.')
      .flatMap((token, i) => (token === '*' ? [tokens[i]!] : token === '>' ? [tokens.slice(i).join('.')] : []))
    return destination.replace(/\{\{(partition|wildcard)\(([\d, ]+)\)\}\}|\$(\d+)/g, (_, kind, list, dollar) => {
      if (dollar !== undefined) return wild[Number(dollar) - 1] ?? ''
      const numbers = String(list).split(',').map(Number)
      if (kind === 'wildcard') return wild[numbers[0]! - 1] ?? ''
      const [buckets, ...at] = numbers
      return String(fnv32a(at.map((i) => wild[i - 1] ?? '').join('')) % buckets!)
    })
  }
  return subject
}

/** FNV-1a, which nats-server's `partition` uses. */
function fnv32a(text: string): number {
  let hash = 2_166_136_261
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 16_777_619)
  return hash >>> 0
}
