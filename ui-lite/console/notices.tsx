import type { ComponentChildren } from 'preact'
import { Icon } from '../shared/icon.js'
import { useObservable } from '../shared/observable.js'
import type { StatusMessage } from '../shared/protocol.js'
import { plural } from '../shared/text/quantities.js'
import { clockTime, duration, stopwatch } from '../shared/text/time_text.js'
import { useNow } from '../shared/use_now.js'
import type { Board } from './board.js'
import type { Connection } from './connection.js'

/** Stale lists named in the notice, at most. */
const MAX_NAMED_LISTS = 4

/** What is wrong right now and what it means for the person at the console. Empty when all is well. */
export function Notices({ connection, board }: { connection: Connection; board: Board }) {
  const link = useObservable(connection.state)
  const latest = useObservable(board.status)
  const gaps = useObservable(board.gaps)
  const now = useNow(1_000)
  const status = link.state === 'live' ? latest : undefined
  // Without NATS every engine is silent; one notice for each would hide the cause.
  const impaired = status?.hits.live
    ? status.engines.filter((engine) => !engine.fresh || Object.keys(engine.waiting).length > 0)
    : []
  return (
    <div class="notices">
      {/* The live region exists before its content, so that the content is announced. It has no running times. */}
      <div role="alert">
        {link.state === 'lost' && (
          <Notice kind="bad" title="Connection lost">
            Hits that arrive in the meantime are kept and shown after reconnecting.{link.reason && ` (${link.reason})`}
          </Notice>
        )}
        {status && !status.hits.live && (
          <Notice kind="bad" title="No hits are arriving">
            {status.hits.reason}
            {status.hits.since && `, since ${clockTime(Date.parse(status.hits.since), now)}`}. Hits are kept and shown
            after recovery.
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
            {retryText(link.retryAt, now)}
          </span>
          <button type="button" class="button" onClick={() => connection.retry()}>
            Try now
          </button>
        </p>
      )}
      {gaps.length > 0 && (
        <p class="notice-running">
          <button type="button" class="button" onClick={() => board.dismissGaps()}>
            Dismiss
          </button>
        </p>
      )}
      {impaired.map((engine) => (
        <Notice key={engine.instance} kind="warn" title={`Engine ${engine.instance}`}>
          {engine.fresh
            ? Object.entries(engine.waiting)
                .map(([name, reason]) => `Waiting for ${name}: ${reason}.`)
                .join(' ')
            : `Silent for ${duration(engine.ageMs)}. Frames wait in the stream until an engine takes them.`}
        </Notice>
      ))}
      {status && status.staleLists.length > 0 && (
        <Notice kind="warn" title={plural(status.staleLists.length, 'stale hot list')}>
          {staleListText(status.staleLists, now)}. Lists are due every 12 hours.
        </Notice>
      )}
      {status && status.missingLists.length > 0 && (
        <Notice kind="warn" title="Vehicles are not checked against every hot list">
          {missingListText(status.missingLists, now)}.
        </Notice>
      )}
      {(status?.cameraFaults ?? []).length > 0 && (
        <Notice kind="warn" title={`${plural(status!.cameraFaults!.length, 'live camera')} without good pictures`}>
          {cameraFaultText(status!.cameraFaults!, now)}.
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

function retryText(at: number | undefined, now: number): string {
  const seconds = Math.ceil(((at ?? now) - now) / 1_000)
  return seconds > 0 ? `Trying again in ${seconds} s.` : 'Trying now …'
}

function missingListText(lists: StatusMessage['missingLists'], now: number): string {
  const named = lists
    .slice(0, MAX_NAMED_LISTS)
    .map(({ name, engine, version, since }) => {
      const what = version === '' ? 'removed, still in force' : 'not in force as imported'
      return `${name}: ${what} on engine ${engine} since ${clockTime(Date.parse(since), now)}`
    })
    .join('; ')
  return lists.length > MAX_NAMED_LISTS ? `${named} and ${lists.length - MAX_NAMED_LISTS} more` : named
}

function cameraFaultText(faults: NonNullable<StatusMessage['cameraFaults']>, now: number): string {
  const named = faults
    .slice(0, MAX_NAMED_LISTS)
    .map(({ name, reason, since }) => `${name}: ${reason}, since ${clockTime(Date.parse(since), now)}`)
    .join('; ')
  return faults.length > MAX_NAMED_LISTS ? `${named} and ${faults.length - MAX_NAMED_LISTS} more` : named
}

function staleListText(lists: StatusMessage['staleLists'], now: number): string {
  const named = lists
    .slice(0, MAX_NAMED_LISTS)
    .map((list) => `${list.name} (${duration(now - Date.parse(list.loadedAt))} old)`)
    .join(', ')
  return lists.length > MAX_NAMED_LISTS ? `${named} and ${lists.length - MAX_NAMED_LISTS} more` : named
}
