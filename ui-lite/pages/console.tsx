import { render } from 'preact'
import { ConsolePage } from '../components/console_page.js'
import { Board } from '../state/board.js'
import { Connection } from '../state/connection.js'
import { firstReads } from '../state/first_reads.js'
import { signIn } from '../state/session.js'

const board = new Board()
const connection = new Connection((message) => board.take(message))

void signIn().then(async (session) => {
  render(<ConsolePage connection={connection} board={board} />, document.getElementById('page')!)
  if (session === 'in') board.addReads(await firstReads(50))
  connection.start()
})
