/** What the planner assumes an operation costs, in milliseconds. */
export interface Costs {
  /** Scanning and matching one row. */
  row: number
  /** Looking up the reads of one plate in the index by plate. */
  plate: number
  /** Any query. */
  query: number
}

/** Measured on one core with a year of 20 million reads. */
export const COSTS: Costs = { row: 60e-6, plate: 1, query: 6 }
