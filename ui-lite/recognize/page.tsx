import { render } from 'preact'
import { Recognition } from './recognition.js'
import { RecognizePage } from './recognize_page.js'

// The path is that of the built file: all pages and workers share one folder.
const worker = new Worker(new URL('recognize_worker.js', import.meta.url), { type: 'module' })
const recognition = new Recognition(worker)

render(<RecognizePage recognition={recognition} />, document.getElementById('page')!)
