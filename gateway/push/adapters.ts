import type { PushKind } from '../../engine/mod.js'
import { axis } from './adapters/axis.js'
import { dahua } from './adapters/dahua.js'
import { frames } from './adapters/frames.js'
import { frigate } from './adapters/frigate.js'
import { genetec } from './adapters/genetec.js'
import { hikvision } from './adapters/hikvision.js'
import { openalpr } from './adapters/openalpr.js'
import { plateRecognizer } from './adapters/plate_recognizer.js'
import { verkada } from './adapters/verkada.js'
import type { Adapter } from './request.js'

/** One adapter for each kind of camera that pushes. */
export const ADAPTERS: Record<PushKind, Adapter> = {
  frames,
  axis,
  dahua,
  frigate,
  genetec,
  hikvision,
  openalpr,
  'plate-recognizer': plateRecognizer,
  verkada,
}
