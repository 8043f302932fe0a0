import { useEffect, useRef, useState } from 'preact/hooks'
import type { Picture } from './recognition.js'
import { sayFault } from './fault_text.js'
import { spell } from '../shared/text/plate.js'
import { percent, plural } from '../shared/text/words.js'

/** Tells a screen reader what came of the latest picture, once. */
export function PictureAnnouncer({ pictures }: { pictures: Picture[] }) {
  const [spoken, setSpoken] = useState('')
  const told = useRef(0)
  useEffect(() => {
    const news = pictures.filter((picture) => picture.id > told.current && (picture.answer || picture.fault))
    if (news.length === 0) return
    told.current = Math.max(...news.map(({ id }) => id))
    setSpoken(
      news.length === 1
        ? sentence(news[0]!)
        : `${plural(news.length, 'picture')} read, ${plural(
            news.reduce((sum, { answer }) => sum + (answer?.detections.length ?? 0), 0),
            'plate',
          )}`,
    )
  }, [pictures])
  return (
    <div class="unseen" role="status">
      {spoken}
    </div>
  )
}

function sentence({ name, answer, fault }: Picture): string {
  if (fault) return `${name}: ${sayFault(fault)}`
  const plates = answer!.detections
  return `${name}: ${plates.length === 0 ? 'no plate' : plates.map(({ plate, confidence }) => `${spell(plate)}, ${percent(confidence)}`).join('; ')}`
}
