import { useEffect, useRef, useState } from 'preact/hooks'
import { plural } from '../shared/text/quantities.js'
import type { Board } from './board.js'

/** Shortest time between two announcements, ms. Hits in between are summed up. */
const INTERVAL_MS = 4_000

/** Announces new hits to a screen reader: assertively if one has high priority, politely otherwise. */
export function HitAnnouncer({ board }: { board: Board }) {
  const [spoken, setSpoken] = useState({ polite: '', assertive: '' })
  const announced = useRef(board.arrivals.value)
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const announce = () => {
      timer = undefined
      const { hits, high } = board.arrivals.value
      const newHits = hits - announced.current.hits
      const newHigh = high - announced.current.high
      if (newHits === 0) return
      announced.current = board.arrivals.value
      const text = `${plural(newHits, 'new hit')}${newHigh > 0 ? `, ${newHigh} high` : ''}`
      setSpoken(newHigh > 0 ? { polite: '', assertive: text } : { polite: text, assertive: '' })
      timer = setTimeout(announce, INTERVAL_MS)
    }
    return board.arrivals.observe(() => {
      if (timer === undefined) announce()
    })
  }, [board])
  return (
    <div class="visually-hidden">
      <div role="status">{spoken.polite}</div>
      <div role="alert">{spoken.assertive}</div>
    </div>
  )
}
