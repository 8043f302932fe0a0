import { useEffect, useState } from 'preact/hooks'
import { useObservable } from '../shared/observable.js'
import { preferences } from '../shared/preferences.js'
import { signInWith, signOut } from '../shared/session_client.js'
import type { Board } from './board.js'
import type { Connection } from './connection.js'
import { HitAnnouncer } from './hit_announcer.js'
import { HitList } from './hit_list.js'
import { KeyboardHelp } from './keyboard_help.js'
import { Notices } from './notices.js'
import { ReadList } from './read_list.js'
import { SignInForm } from './sign_in_form.js'
import { TopBar } from './top_bar.js'

/** The live console: hits and reads as they arrive, or the sign-in form. */
export function ConsolePage({ connection, board }: { connection: Connection; board: Board }) {
  const { state } = useObservable(connection.state)
  const [hitsPaused, setHitsPaused] = useState(false)
  const [readsPaused, setReadsPaused] = useState(false)
  const [helpOpen, setHelpOpen] = useState(false)
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (!preferences.value.keys || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
      if (event.key === 'j') focusHit(1)
      else if (event.key === 'k') focusHit(-1)
      else if (event.key === '?') setHelpOpen(true)
      else if (event.key === 'p') {
        setHitsPaused((paused) => !paused)
        setReadsPaused((paused) => !paused)
      } else return
      event.preventDefault()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [])
  if (state === 'signed-out') {
    return (
      <SignInForm
        onSignIn={async (token) => {
          const refusal = await signInWith(token)
          if (refusal === undefined) connection.start()
          return refusal
        }}
      />
    )
  }
  return (
    <>
      <a class="skip" href="#hits-title">
        Skip to hits
      </a>
      <TopBar
        connection={connection}
        status={board.status}
        onHelp={() => setHelpOpen(true)}
        onSignOut={() => {
          connection.stop()
          void signOut()
        }}
      />
      <Notices connection={connection} board={board} />
      <main class="columns">
        <HitList board={board} paused={hitsPaused} onPause={() => setHitsPaused(!hitsPaused)} />
        <ReadList board={board} paused={readsPaused} onPause={() => setReadsPaused(!readsPaused)} />
      </main>
      <HitAnnouncer board={board} />
      <KeyboardHelp open={helpOpen} onClose={() => setHelpOpen(false)} />
    </>
  )
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
}

/** Moves the focus by `offset` hits. */
function focusHit(offset: number): void {
  const hits = [...document.querySelectorAll<HTMLElement>('.hit article')]
  const at = hits.indexOf(document.activeElement as HTMLElement)
  const next = hits[at < 0 ? 0 : Math.min(hits.length - 1, Math.max(0, at + offset))]
  next?.focus()
  next?.scrollIntoView({ block: 'nearest' })
}
