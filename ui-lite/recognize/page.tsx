import { render } from 'preact'
import { RecognizePage } from './recognize_page.js'
import { Recognition } from './recognition.js'

const recognition = new Recognition(
  () => new Worker(new URL('recognize_worker.js', import.meta.url), { type: 'module' }),
)

render(<RecognizePage recognition={recognition} />, document.getElementById('page')!)
