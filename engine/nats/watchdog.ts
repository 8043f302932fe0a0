import { sleep } from '../runtime/backoff.js'
import { connectNats } from './connect.js'

const kEveryMs = 2_000

/**
 * Calls `silent` when a running server has not answered JetStream's simplest request for `silentMs`. nats-server 2.9
 * locks up for good when its disk is full: it keeps its connections, logs nothing, and stays unresponsive after space
 * is freed. Only a restart helps. Resolves when `signal` aborts or after the call.
 */
export async function watchServer(
  server: { url: string; token: string; silentMs: number },
  silent: () => void,
  signal: AbortSignal,
): Promise<void> {
  const connection = await connectNats({
    url: server.url,
    token: server.token,
    name: 'watchdog',
    waitOnFirstConnect: true,
    signal,
  }).catch(() => undefined)
  if (!connection) return
  try {
    const manager = await connection.jetstreamManager({ checkAPI: false, timeout: kEveryMs })
    for (let answered = performance.now(); !signal.aborted; ) {
      await sleep(kEveryMs, signal)
      if (
        await manager.getAccountInfo().then(
          () => true,
          () => false,
        )
      )
        answered = performance.now()
      else if (!signal.aborted && performance.now() - answered > server.silentMs) return silent()
    }
  } finally {
    await connection.close().catch(() => {})
  }
}
