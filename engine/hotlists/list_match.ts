import type { Tolerated } from '../model/hit.js'
import type { HotList, HotListEntry } from './hotlist.js'

/** A list entry that a read may be, and why. */
export interface ListMatch {
  list: HotList
  entry: HotListEntry
  /** Probability that the plate on the road is the listed one, 0 to 1. */
  probability: number
  exact: boolean
  tolerated: Tolerated[]
}
