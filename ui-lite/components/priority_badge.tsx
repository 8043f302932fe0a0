import type { HitMessage } from '../../gateway/live/protocol.js'
import { PRIORITY } from '../text/words.js'
import { Icon } from './icon.js'

/** Shape, word and colour: any of them alone says it. */
export function PriorityBadge({ priority }: { priority: HitMessage['priority'] }) {
  return (
    <span class={`badge badge-${priority}`}>
      <Icon name={priority} />
      {PRIORITY[priority]}
    </span>
  )
}
