import { render } from 'preact'
import { signIn } from '../shared/session_client.js'
import { Board } from './board.js'
import { Connection } from './connection.js'
import { ConsolePage } from './console_page.js'
import { fetchStoredReads } from './stored_reads.js'

const board = new Board()
const connection = new Connection((message) => board.take(message))

void signIn().then(async (session) => {
  render(<ConsolePage connection={connection} board={board} />, document.getElementById('page')!)
  if (session === 'signed-in') board.addReads(await fetchStoredReads(50))
  connection.start()
})
