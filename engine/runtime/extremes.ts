/** The smallest of many values; Infinity of none. `Math.min(...values)` overflows the stack from some 100,000 on. */
export const leastOf = (values: readonly number[]): number => values.reduce((a, b) => Math.min(a, b), Infinity)

/** The largest of many values; -Infinity of none. */
export const mostOf = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), -Infinity)
