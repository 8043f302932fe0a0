import { useEffect, useState } from 'preact/hooks'
import type { Board } from './board.js'
import type { Connection } from './connection.js'
import { preferences } from '../shared/preferences.js'
import { signInWith, signOut } from '../shared/session_client.js'
import { useStore } from '../shared/observable.js'
import { Announcer } from './hit_announcer.js'
import { Help } from './keyboard_help.js'
import { HitList } from './hit_list.js'
import { Notices } from './notices.js'
import { ReadList } from './read_list.js'
import { SignedOut } from './sign_in_form.js'
import { TopBar } from './top_bar.js'

export function ConsolePage({ connection, board }: { connection: Connection; board: Board }) {
  const { state } = useStore(connection.state)
  const [hitsHeld, setHitsHeld] = useState(false)
  const [readsHeld, setReadsHeld] = useState(false)
  const [help, setHelp] = useState(false)
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (!preferences.value.keys || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
      if (event.key === 'j') step(1)
      else if (event.key === 'k') step(-1)
      else if (event.key === '?') setHelp(true)
      else if (event.key === 'p') {
        setHitsHeld((held) => !held)
        setReadsHeld((held) => !held)
      } else return
      event.preventDefault()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [])
  if (state === 'signed-out') {
    return (
      <SignedOut
        onSignIn={async (token) => {
          const ok = await signInWith(token)
          if (ok) connection.start()
          return ok
        }}
      />
    )
  }
  return (
    <>
      <a class="skip" href="#hits-title">
        To the hits
      </a>
      <TopBar
        connection={connection}
        status={board.status}
        onHelp={() => setHelp(true)}
        onSignOut={() => {
          connection.stop()
          void signOut()
        }}
      />
      <Notices connection={connection} board={board} />
      <main class="columns">
        <HitList board={board} held={hitsHeld} onHold={() => setHitsHeld(!hitsHeld)} />
        <ReadList board={board} held={readsHeld} onHold={() => setReadsHeld(!readsHeld)} />
      </main>
      <Announcer board={board} />
      <Help open={help} onClose={() => setHelp(false)} />
    </>
  )
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
}

/** Moves the focus from hit to hit. */
function step(by: number): void {
  const hits = [...document.querySelectorAll<HTMLElement>('.hit article')]
  const at = hits.indexOf(document.activeElement as HTMLElement)
  const next = hits[at < 0 ? 0 : Math.min(hits.length - 1, Math.max(0, at + by))]
  next?.focus()
  next?.scrollIntoView({ block: 'nearest' })
}
