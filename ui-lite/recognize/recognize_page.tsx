import { useCallback } from 'preact/hooks'
import { Icon } from '../shared/icon.js'
import { useObservable } from '../shared/observable.js'
import { plural } from '../shared/text/quantities.js'
import { ThemeButton } from '../shared/theme_button.js'
import { DropZone } from './drop_zone.js'
import { faultText } from './fault_text.js'
import { PictureResult } from './picture_result.js'
import type { Readiness, Recognition } from './recognition.js'
import { ResultAnnouncer } from './result_announcer.js'
import { useFileDrop } from './use_file_drop.js'

/** Reads plates in the browser. Needs no session: it looks up nothing, and no picture leaves the machine. */
export function RecognizePage({ recognition }: { recognition: Recognition }) {
  const pictures = useObservable(recognition.pictures)
  const readiness = useObservable(recognition.readiness)
  const addFiles = useCallback((files: Iterable<File>) => recognition.add(files), [recognition])
  const dragging = useFileDrop(addFiles)
  return (
    <>
      <a class="skip" href="#results">
        Skip to results
      </a>
      <header class="bar">
        <h1 class="brand">
          <span class="brand-mark" aria-hidden="true">
            P
          </span>
          <span class="brand-name">Platestream</span> recognizer
        </h1>
        <div class="bar-buttons">
          <a class="button" href="./">
            Console
          </a>
          <ThemeButton />
        </div>
      </header>
      <main class="recognize">
        <DropZone dragging={dragging} onFiles={addFiles} />
        <p class="recognize-state">
          <ReadinessText readiness={readiness} />
        </p>
        <section id="results" aria-labelledby="results-title" tabIndex={-1}>
          <div class="results-head">
            <h2 id="results-title">{pictures.length === 0 ? 'No pictures yet' : plural(pictures.length, 'picture')}</h2>
            {pictures.length > 0 && (
              <button type="button" class="button" onClick={() => recognition.clear()}>
                <Icon name="withdrawn" />
                Clear
              </button>
            )}
          </div>
          {pictures.map((picture) => (
            <PictureResult key={picture.id} picture={picture} />
          ))}
        </section>
      </main>
      <ResultAnnouncer pictures={pictures} />
    </>
  )
}

function ReadinessText({ readiness }: { readiness: Readiness }) {
  switch (readiness.state) {
    case 'loading':
      return <>Loading the recognizer …</>
    case 'ready':
      return (
        <>
          Ready. Module <code>{readiness.module}</code>, model <code>{readiness.model}</code>.
        </>
      )
    case 'failed':
      return (
        <span class="error" role="alert">
          The recognizer could not start. {faultText(readiness.fault)}
          {!isSecureContext && ' This page requires HTTPS or localhost.'}
        </span>
      )
  }
}
