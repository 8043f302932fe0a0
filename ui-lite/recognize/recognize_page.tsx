import { useEffect, useState } from 'preact/hooks'
import type { Recognition } from './recognition.js'
import { useStore } from '../shared/observable.js'
import { sayFault } from './fault_text.js'
import { plural } from '../shared/text/words.js'
import { DropZone } from './drop_zone.js'
import { Icon } from '../shared/icon.js'
import { PictureAnnouncer } from './result_announcer.js'
import { PictureResult } from './picture_result.js'
import { ThemeButton } from '../shared/theme_button.js'

/** Drop a picture, see what the recognizer sees. Needs no session: nothing is looked up, nothing leaves the machine. */
export function RecognizePage({ recognition }: { recognition: Recognition }) {
  const pictures = useStore(recognition.pictures)
  const readiness = useStore(recognition.readiness)
  const [dragging, setDragging] = useState(false)
  useEffect(() => {
    // the whole page takes a drop: a picture beside the frame must not replace the page
    let depth = 0
    const listeners: [string, (event: any) => void][] = [
      ['dragenter', () => setDragging(++depth > 0)],
      ['dragleave', () => setDragging(--depth > 0)],
      ['dragover', (event: DragEvent) => event.preventDefault()],
      [
        'drop',
        (event: DragEvent) => {
          event.preventDefault()
          setDragging((depth = 0) > 0)
          recognition.add(event.dataTransfer?.files ?? [])
        },
      ],
      ['paste', (event: ClipboardEvent) => recognition.add(event.clipboardData?.files ?? [])],
    ]
    for (const [name, listener] of listeners) addEventListener(name, listener)
    return () => {
      for (const [name, listener] of listeners) removeEventListener(name, listener)
    }
  }, [recognition])
  return (
    <>
      <a class="skip" href="#results">
        To the results
      </a>
      <header class="bar">
        <h1 class="brand">
          <span class="brand-mark" aria-hidden="true">
            P
          </span>
          <span class="brand-name">Platestream</span> recognizer
        </h1>
        <div class="bar-buttons">
          <a class="button" href="/">
            Console
          </a>
          <ThemeButton />
        </div>
      </header>
      <main class="recognize">
        <DropZone dragging={dragging} onFiles={(files) => recognition.add(files)} />
        <p class="recognize-state">
          {readiness.state === 'loading' && 'Getting ready …'}
          {readiness.state === 'ready' && (
            <>
              Ready. Module <code>{readiness.module}</code>, model <code>{readiness.model}</code>.
            </>
          )}
          {readiness.state === 'failed' && (
            <span class="refused" role="alert">
              The recognizer did not start. {sayFault(readiness.fault)}
              {!isSecureContext && ' This page needs https, or localhost.'}
            </span>
          )}
        </p>
        <section id="results" aria-labelledby="results-title" tabIndex={-1}>
          <div class="results-head">
            <h2 id="results-title">{pictures.length === 0 ? 'No picture yet' : plural(pictures.length, 'picture')}</h2>
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
      <PictureAnnouncer pictures={pictures} />
    </>
  )
}
