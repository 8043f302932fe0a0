import { ArchivePicture } from '../shared/archive_picture.js'
import { memo } from '../shared/memo.js'
import type { ReadMessage } from '../shared/protocol.js'
import { percent } from '../shared/text/quantities.js'
import { spell } from '../shared/text/spelling.js'
import { clockTime, timeZone } from '../shared/text/time_text.js'

/** One read: plate, confidence, camera, time and the hot lists that it is on. */
export const ReadRow = memo(function ReadRow({ read, now }: { read: ReadMessage; now: number }) {
  const seen = Date.parse(read.tsLast)
  return (
    <li class={read.lists.length > 0 ? 'read read-listed' : 'read'}>
      <ArchivePicture crop={read.crop} kind="thumb" alt="" />
      <span class="plate plate-small">
        <span class="visually-hidden">{`${spell(read.plate)}. `}</span>
        <span aria-hidden="true">{read.plate}</span>
      </span>
      <span class="read-confidence">{percent(read.confidence)}</span>
      <span class="read-camera">{read.cameraName || read.camera}</span>
      <time class="read-time" dateTime={read.tsLast}>
        {clockTime(seen, now)} <small>{timeZone(seen)}</small>
      </time>
      {read.lists.length > 0 && <span class="read-lists">on {read.lists.join(', ')}</span>}
    </li>
  )
})
