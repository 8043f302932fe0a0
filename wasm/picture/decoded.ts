import type { Reduction, Size } from './limits.js'

/** What is wrong with a picture that is read in part. */
export interface Damage {
  /** The code under which a picture like this one is refused when nothing is found in it. */
  code: 'ALPR_ERR_FRAME_TRUNCATED' | 'ALPR_ERR_FRAME_CORRUPT'
  reason: string
  /** Part of the picture that was decoded before and after the damage, 0..1. */
  share: number
}

/** A decoded picture. `width` and `height` are those of its luma. */
export interface Decoded extends Size {
  /** 1, unless the picture exceeds the recognizer's limits: the picture is this many times as wide and high. */
  reduced: Reduction
  /** Only of a damaged picture. */
  damage?: Damage
}
