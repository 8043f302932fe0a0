import type { PushKind } from '../../engine/mod.js'
import { frames } from './adapters/frames.js'
import type { Adapter } from './request.js'

/** One adapter for each kind of camera that pushes. */
export const ADAPTERS: Record<PushKind, Adapter> = {
  frames,
}
