import { useEffect, useRef, useState } from 'preact/hooks'
import { percent, plural } from '../shared/text/quantities.js'
import { spell } from '../shared/text/spelling.js'
import { faultText } from './fault_text.js'
import type { SubmittedPicture } from './recognition.js'

/** Announces the result of each picture to a screen reader, once. */
export function ResultAnnouncer({ pictures }: { pictures: SubmittedPicture[] }) {
  const [spoken, setSpoken] = useState('')
  const lastAnnounced = useRef(0)
  useEffect(() => {
    const fresh = pictures.filter(({ id, result, fault }) => id > lastAnnounced.current && (result || fault))
    if (fresh.length === 0) return
    lastAnnounced.current = Math.max(...fresh.map(({ id }) => id))
    setSpoken(fresh.length === 1 ? sentence(fresh[0]!) : summary(fresh))
  }, [pictures])
  return (
    <div class="visually-hidden" role="status">
      {spoken}
    </div>
  )
}

function sentence({ name, result, fault }: SubmittedPicture): string {
  if (fault) return `${name}: ${faultText(fault)}`
  const plates = result!.detections.map(({ plate, confidence }) => `${spell(plate)}, ${percent(confidence)}`)
  return `${name}: ${plates.join('; ') || 'no plate'}`
}

function summary(pictures: SubmittedPicture[]): string {
  const plates = pictures.reduce((sum, { result }) => sum + (result?.detections.length ?? 0), 0)
  return `${plural(pictures.length, 'picture')} read, ${plural(plates, 'plate')}`
}
