import { AlprError } from '../engine/runtime/mod.js'

/** A longer line is no password. */
const MOST_CHARACTERS = 1_024

/**
 * Asks for a secret: on a terminal without showing it, otherwise it is the first line of standard input.
 * @throws ALPR_ERR_USAGE when there is none
 */
export async function askSecret(question: string): Promise<string> {
  const { stdin } = process
  const isTerminal = stdin.isTTY === true
  if (isTerminal) {
    process.stderr.write(question)
    stdin.setRawMode(true)
  }
  try {
    const secret = await readLine(isTerminal)
    if (secret === '') throw new AlprError('ALPR_ERR_USAGE', { reason: 'no password was given on standard input' })
    return secret
  } finally {
    if (isTerminal) {
      stdin.setRawMode(false)
      process.stderr.write('\n')
    }
    stdin.pause()
  }
}

function readLine(isTerminal: boolean): Promise<string> {
  const { stdin } = process
  return new Promise((resolve, reject) => {
    let text = ''
    const done = (end: () => void) => {
      stdin.off('data', onData).off('end', onEnd)
      end()
    }
    const onEnd = () => done(() => resolve(text.replace(/\r$/, '')))
    const onData = (piece: string) => {
      for (const character of piece) {
        if (character === '\n' || (isTerminal && character === '\r')) return onEnd()
        if (isTerminal && character === '\u0003')
          return done(() => reject(new AlprError('ALPR_ERR_USAGE', { reason: 'no password was given' })))
        if (isTerminal && (character === '\u007f' || character === '\b')) text = text.slice(0, -1)
        else text += character
        if (text.length > MOST_CHARACTERS)
          return done(() => reject(new AlprError('ALPR_ERR_USAGE', { reason: 'the password is too long' })))
      }
    }
    stdin.setEncoding('utf8').on('data', onData).on('end', onEnd).resume()
  })
}
