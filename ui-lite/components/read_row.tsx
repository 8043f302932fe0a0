import type { ReadMessage } from '../../gateway/live/protocol.js'
import { spell } from '../text/plate.js'
import { clock, zone } from '../text/time.js'
import { percent } from '../text/words.js'
import { memo } from './memo.js'
import { Picture } from './picture.js'

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
