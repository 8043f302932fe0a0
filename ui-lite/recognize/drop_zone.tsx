import { Icon } from '../shared/icon.js'

/** Where pictures come in. The whole page takes drops and pastes; this explains it and opens the file dialog. */
export function DropZone({ dragging, onFiles }: { dragging: boolean; onFiles: (files: Iterable<File>) => void }) {
  return (
    <div class={dragging ? 'drop drop-over' : 'drop'}>
      <label class="drop-label">
        <input
          type="file"
          class="drop-input"
          accept="image/*"
          multiple
          onChange={(event) => {
            onFiles(event.currentTarget.files ?? [])
            event.currentTarget.value = '' // so that choosing the same file again is a change
          }}
        />
        <span class="button button-main">
          <Icon name="picture" />
          Choose pictures
        </span>
      </label>
      <p>
        {dragging ? (
          <b>Drop to read the plates.</b>
        ) : (
          <>
            or drop them anywhere on this page, or paste one with <kbd>Ctrl</kbd> <kbd>V</kbd>.
          </>
        )}
      </p>
      <p class="drop-privacy">This browser reads the plates on this machine. No picture is sent anywhere.</p>
    </div>
  )
}
