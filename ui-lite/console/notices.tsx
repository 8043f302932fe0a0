import type { ComponentChildren } from 'preact'
import type { Board } from './board.js'
import { useNow } from '../shared/use_now.js'
import type { Connection } from './connection.js'
import { useStore } from '../shared/observable.js'
import { clock, span, stopwatch } from '../shared/text/time.js'
import { plural } from '../shared/text/words.js'
import { Icon } from '../shared/icon.js'

/** What is wrong just now and what it means for the person at the console. Nothing when all is well. */
export function Notices({ connection, board }: { connection: Connection; board: Board }) {
  const link = useStore(connection.state)
  const status = useStore(board.status)
  const gaps = useStore(board.gaps)
  const now = useNow(1_000)
  const live = link.state === 'live'
  // Without NATS every engine is silent here; saying so for each would hide the cause.
  const waits =
    live && status?.hits.live ? status.engines.filter((e) => !e.fresh || Object.keys(e.waiting).length > 0) : []
  return (
    <div class="notices">
      {/* The live region stands before its content, so that the content is announced. Running times inside are hidden from it. */}
      <div role="alert">
        {link.state === 'lost' && (
          <Notice kind="bad" title="Connection lost">
            Hits that come in meanwhile are kept and shown when it is back.{link.reason ? ` (${link.reason})` : ''}
          </Notice>
        )}
        {live && status && !status.hits.live && (
          <Notice kind="bad" title="No hits are coming through">
            {status.hits.reason}
            {status.hits.since ? `, since ${clock(Date.parse(status.hits.since), now)}` : ''}. They are kept and follow
            when it is back.
          </Notice>
        )}
        {gaps.map((gap) => (
          <Notice key={gap.to} kind="bad" title="Some hits are too old to show">
            {`Numbers ${gap.from} to ${gap.to} are no longer in the live stream. They are in the stored hits.`}
          </Notice>
        ))}
      </div>
      {link.state === 'lost' && (
        <p class="notice-running">
          <span aria-hidden="true">
            {`Down for ${stopwatch(now - link.since)}. `}
            {retry(link.retryAt, now)}
          </span>
          <button type="button" class="button" onClick={() => connection.retry()}>
            Try now
          </button>
        </p>
      )}
      {gaps.length > 0 && (
        <p class="notice-running">
          <button type="button" class="button" onClick={() => board.dismissGaps()}>
            Understood
          </button>
        </p>
      )}
      {waits.map((engine) => (
        <Notice key={engine.instance} kind="warn" title={`Engine ${engine.instance}`}>
          {engine.fresh
            ? Object.entries(engine.waiting)
                .map(([name, reason]) => `waits for ${name}: ${reason}`)
                .join('; ')
            : `has been silent for ${span(engine.ageMs)}; frames wait on the stream until an engine takes them`}
        </Notice>
      ))}
      {live && status && status.staleLists.length > 0 && (
        <Notice kind="warn" title={plural(status.staleLists.length, 'stale hot list')}>
          {status.staleLists
            .slice(0, 4)
            .map((list) => `${list.name} (${span(now - Date.parse(list.loadedAt))} old)`)
            .join(', ')}
          {status.staleLists.length > 4 && ` and ${status.staleLists.length - 4} more`}. Lists are due every 12 hours.
        </Notice>
      )}
    </div>
  )
}

function Notice({ kind, title, children }: { kind: 'bad' | 'warn'; title: string; children: ComponentChildren }) {
  return (
    <p class={`notice notice-${kind}`}>
      <Icon name="warning" />
      <span>
        <b>{title}.</b> {children}
      </span>
    </p>
  )
}

function retry(at: number | undefined, now: number): string {
  const seconds = Math.ceil(((at ?? now) - now) / 1_000)
  return seconds > 0 ? `Trying again in ${seconds} s.` : 'Trying now …'
}
