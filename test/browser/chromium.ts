import { existsSync } from 'node:fs'
import { chromium, type Browser } from 'playwright-core'
import type { Teardown } from '../servers/nats.js'

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** Why browser tests cannot run here, or false: for tap's `skip`. */
export const noBrowser: string | false = PLACES.some(existsSync)
  ? false
  : 'chromium is not installed (apt-get install chromium)'

/** The system's own chromium, speaking to nobody but the page. Ends with the test. */
export async function openBrowser(t: Teardown): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: PLACES.find(existsSync)!,
    args: ['--no-sandbox', '--disable-quic', '--disable-background-networking'],
  })
  t.teardown(() => browser.close())
  return browser
}
