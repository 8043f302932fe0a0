import { existsSync } from 'node:fs'
import { chromium, type Browser } from 'playwright-core'
import type { Teardown } from '../servers/nats.js'

const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** Why browser tests cannot run here, or false: for tap's `skip`. */
export const noBrowser: string | false = PATHS.some(existsSync)
  ? false
  : 'chromium is not installed (apt-get install chromium)'

/** The installed Chromium, without background traffic. It closes at the end of the test. */
export async function openBrowser(t: Teardown): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: PATHS.find(existsSync)!,
    args: ['--no-sandbox', '--disable-quic', '--disable-background-networking'],
  })
  t.teardown(() => browser.close())
  return browser
}

/** A JavaScript expression for the bytes, to put into a script that runs in the page. */
export const bytesExpression = (bytes: Uint8Array): string =>
  `Uint8Array.from(atob(${JSON.stringify(Buffer.from(bytes).toString('base64'))}), (c) => c.charCodeAt(0))`
