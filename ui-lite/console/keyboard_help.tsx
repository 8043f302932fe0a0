import { useEffect, useRef } from 'preact/hooks'
import { useObservable } from '../shared/observable.js'
import { preferences, setPreference } from '../shared/preferences.js'

const KEYS: [key: string, action: string][] = [
  ['J', 'next hit'],
  ['K', 'previous hit'],
  ['P', 'pause or resume both lists'],
  ['?', 'show this help'],
]

/** The dialog that lists the keyboard shortcuts and turns them on or off. */
export function KeyboardHelp({ open, onClose }: { open: boolean; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null)
  const { keys } = useObservable(preferences)
  useEffect(() => {
    if (open) dialog.current?.showModal()
    else dialog.current?.close()
  }, [open])
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="help-title" onClose={onClose}>
      <h2 id="help-title">Keyboard shortcuts</h2>
      <dl class="keys">
        {KEYS.map(([key, action]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{action}</dd>
          </div>
        ))}
      </dl>
      <label class="checkbox">
        <input
          type="checkbox"
          checked={keys}
          onChange={(event) => setPreference('keys', event.currentTarget.checked)}
        />
        Use single-letter shortcuts
      </label>
      <button type="button" class="button" onClick={onClose}>
        Close
      </button>
    </dialog>
  )
}
