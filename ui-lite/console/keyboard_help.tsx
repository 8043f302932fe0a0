import { useEffect, useRef } from 'preact/hooks'
import { preferences, setPreference } from '../shared/preferences.js'
import { useStore } from '../shared/observable.js'

const KEYS: [string, string][] = [
  ['J', 'next hit'],
  ['K', 'previous hit'],
  ['P', 'pause or continue both lists'],
  ['?', 'this list'],
]

export function Help({ open, onClose }: { open: boolean; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null)
  const { keys } = useStore(preferences)
  useEffect(() => {
    if (open) dialog.current?.showModal()
    else dialog.current?.close()
  }, [open])
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="help-title" onClose={onClose}>
      <h2 id="help-title">Keys</h2>
      <dl class="keys">
        {KEYS.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <label class="check">
        <input
          type="checkbox"
          checked={keys}
          onChange={(event) => setPreference('keys', event.currentTarget.checked)}
        />
        Use single-letter keys
      </label>
      <button type="button" class="button" onClick={onClose}>
        Close
      </button>
    </dialog>
  )
}
