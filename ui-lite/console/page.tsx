import { render } from 'preact'
import { ConsolePage } from './console_page.js'
import { Board } from './board.js'
import { Connection } from './connection.js'
import { firstReads } from './stored_reads.js'
import { signIn } from '../shared/session_client.js'

const board = new Board()
const connection = new Connection((message) => board.take(message))

void signIn().then(async (session) => {
  render(<ConsolePage connection={connection} board={board} />, document.getElementById('page')!)
  if (session === 'in') board.addReads(await firstReads(50))
  connection.start()
})
