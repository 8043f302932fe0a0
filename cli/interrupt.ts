/**
 * A signal that is aborted when the command is asked to end: Ctrl-C, SIGTERM, or, with `withParent`, the end of
 * standard input, which is how a child of `up` notices that its parent was killed. Asking twice ends the process at
 * once, as 130.
 */
export function interruption(withParent = false): AbortSignal {
  const ending = new AbortController()
  const ask = () => {
    if (ending.signal.aborted) process.exit(130)
    ending.abort()
  }
  process.on('SIGINT', ask)
  process.on('SIGTERM', ask)
  if (withParent)
    process.stdin
      .on('end', () => ending.abort())
      .on('error', () => ending.abort())
      .resume()
  return ending.signal
}

/** Resolves when the signal is aborted. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

/** A clean end that hangs (a server it needs is gone as well) is cut after `limitMs`. */
export function exitAtLatest(limitMs: number, code = 1): void {
  setTimeout(() => process.exit(code), limitMs).unref()
}
