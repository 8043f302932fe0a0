import { Icon } from './icon.js'
import type { HitMessage } from './protocol.js'

const LABEL: Record<HitMessage['priority'], string> = {
  high: 'High',
  medium: 'Medium',
  low: 'Low',
  informational: 'Informational',
}

/** The priority of a hit as shape, word and colour: each alone is enough. */
export function PriorityBadge({ priority }: { priority: HitMessage['priority'] }) {
  return (
    <span class={`badge priority-${priority}`}>
      <Icon name={priority} />
      {LABEL[priority]}
    </span>
  )
}
