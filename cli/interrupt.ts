/**
 * A signal that aborts when the command should end: on Ctrl-C, SIGTERM or, with `withParent`, the end of standard
 * input, which is how a child of `up` notices that its parent was killed. A second request exits at once with code 130.
 */
export function interruptSignal(withParent = false): AbortSignal {
  const ending = new AbortController()
  const onRequest = () => {
    if (ending.signal.aborted) process.exit(130)
    ending.abort()
  }
  process.on('SIGINT', onRequest)
  process.on('SIGTERM', onRequest)
  if (withParent)
    process.stdin
      .on('end', () => ending.abort())
      .on('error', () => ending.abort())
      .resume()
  return ending.signal
}

/** Resolves when the signal aborts. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

/** Bounds a clean shutdown that hangs, for example because a server it needs is down too: exits after `limitMs`. */
export function exitAtLatest(limitMs: number, code = 1): void {
  setTimeout(() => process.exit(code), limitMs).unref()
}
