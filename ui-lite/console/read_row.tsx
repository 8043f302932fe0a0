import type { ReadMessage } from '../shared/protocol.js'
import { spell } from '../shared/text/plate.js'
import { clock, zone } from '../shared/text/time.js'
import { percent } from '../shared/text/words.js'
import { memo } from '../shared/memo.js'
import { Picture } from '../shared/archive_picture.js'

export const ReadRow = memo(function ReadRow({ read, now }: { read: ReadMessage; now: number }) {
  const seen = Date.parse(read.tsLast)
  return (
    <li class={read.lists.length > 0 ? 'read read-listed' : 'read'}>
      <Picture crop={read.crop} kind="thumb" alt="" />
      <span class="plate plate-small">
        <span class="unseen">{`${spell(read.plate)}. `}</span>
        <span aria-hidden="true">{read.plate}</span>
      </span>
      <span class="read-sure">{percent(read.confidence)}</span>
      <span class="read-where">{read.cameraName || read.camera}</span>
      <time class="read-time" dateTime={read.tsLast}>
        {clock(seen, now)} <small>{zone(seen)}</small>
      </time>
      {read.lists.length > 0 && <span class="read-lists">on {read.lists.join(', ')}</span>}
    </li>
  )
})
