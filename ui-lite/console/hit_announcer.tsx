import { useEffect, useRef, useState } from 'preact/hooks'
import type { Board } from './board.js'
import { plural } from '../shared/text/words.js'

/** At most one spoken summary in this time, ms; never one per hit. */
const PAUSE_MS = 4_000

/** Tells a screen reader what came in: high priority at once, the rest politely. */
export function Announcer({ board }: { board: Board }) {
  const [spoken, setSpoken] = useState({ polite: '', urgent: '' })
  const told = useRef(board.news.value)
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const speak = () => {
      timer = undefined
      const { hits, high } = board.news.value
      const newHits = hits - told.current.hits
      const newHigh = high - told.current.high
      if (newHits === 0) return
      told.current = board.news.value
      const text = `${plural(newHits, 'new hit')}${newHigh > 0 ? `, ${newHigh} high` : ''}`
      setSpoken(newHigh > 0 ? { polite: '', urgent: text } : { polite: text, urgent: '' })
      timer = setTimeout(speak, PAUSE_MS)
    }
    return board.news.watch(() => {
      if (timer === undefined) speak()
    })
  }, [board])
  return (
    <div class="unseen">
      <div role="status">{spoken.polite}</div>
      <div role="alert">{spoken.urgent}</div>
    </div>
  )
}
