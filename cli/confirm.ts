import { createInterface } from 'node:readline/promises'
import { usage } from './failure.js'
import { terminalWord } from './terminal_text.js'

/**
 * Asks before an act that cannot be undone. Where no person can answer (a pipe, a timer), `--yes` must allow it.
 * @param act what happens, in words that follow "This will"
 * @throws ALPR_ERR_USAGE without the answer "yes" or the option
 */
export async function confirmed(act: string, yes = false): Promise<void> {
  if (yes) return
  const words = terminalWord(act)
  if (!process.stdin.isTTY || !process.stderr.isTTY) throw usage(`this would ${words}: add --yes to allow it`)
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await terminal.question(`This will ${words}. It cannot be undone. Type "yes" to go on: `)
    if (answer.trim().toLowerCase() !== 'yes') throw usage('nothing was deleted')
  } finally {
    terminal.close()
  }
}
