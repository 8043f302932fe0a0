import top from 'tap'
import type { Browser, Page } from 'playwright-core'
import sharp from 'sharp'
import { freePort, startTestNats, type Teardown, type TestNats } from '../servers/nats.js'
import { MemoryRecords } from '../gateway/fixtures/memory_records.js'
import { startTestGateway, TOKEN, type TestGateway } from '../gateway/fixtures/gateway.js'
import { makeHit, makeRead, publishHit } from '../gateway/fixtures/hits.js'
import { noBrowser, openBrowser } from './chromium.js'
import { until } from '../until.js'

const options = { skip: noBrowser, timeout: 200_000 }

interface Setup {
  nats: TestNats
  gateway: TestGateway
  page: Page
  /** Script errors, violations of the content security policy, and requests to other hosts. */
  faults: string[]
}

// One browser for all tests, because starting it is slow. Each test has a fresh profile.
let browser: Promise<Browser> | undefined

async function setUp(
  t: Teardown,
  change: { port?: number; archive?: MemoryRecords; view?: { width: number; height: number } } = {},
): Promise<Setup> {
  const nats = await startTestNats(t)
  const gateway = await startTestGateway(t, { nats, ...change })
  browser ??= openBrowser(top)
  const profile = await (await browser).newContext({
    viewport: change.view ?? { width: 1_280, height: 800 },
    timezoneId: 'America/Los_Angeles',
  })
  profile.setDefaultTimeout(90_000) // for a busy machine
  t.teardown(() => profile.close())
  const page = await profile.newPage()
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('Failed to load resource')) faults.push(message.text())
  })
  page.on('request', (request) => {
    if (!request.url().startsWith(gateway.url)) faults.push(`requested ${request.url()}`)
  })
  return { nats, gateway, page, faults }
}

const signIn = async ({ page, gateway }: Setup) => {
  await page.goto(`${gateway.url}/?token=${TOKEN}`)
  await page.getByText('Live', { exact: true }).waitFor()
}

top.test('the token leaves the address, and without a session there is only the sign-in form', options, async (t) => {
  const it = await setUp(t)
  await it.page.goto(it.gateway.url)
  await it.page.getByText('Sign in first').waitFor()
  t.equal(await it.page.getByText('A hit alone').count(), 0)
  await it.page.getByLabel('Access token').fill('wrong')
  await it.page.getByRole('button', { name: 'Sign in' }).click()
  await it.page.getByText('This token is not valid').waitFor()
  await signIn(it)
  t.equal(it.page.url(), `${it.gateway.url}/`)
  t.notOk(await it.page.evaluate('document.cookie'), 'scripts cannot read the cookie')
  await it.page.reload()
  await it.page.getByText('Live', { exact: true }).waitFor()
  await it.page.getByRole('button', { name: 'Sign out' }).click()
  await it.page.getByText('Sign in first').waitFor()
  await it.page.reload()
  await it.page.getByText('Sign in first').waitFor()
  t.same(it.faults, [])
})

top.test('a hit appears, is updated in place and is withdrawn', options, async (t) => {
  const archive = new MemoryRecords()
  const jpeg = await sharp({ create: { width: 60, height: 30, channels: 3, background: '#d0d0d0' } })
    .jpeg()
    .toBuffer()
  archive.crops.set('2026-W47-a.crops/0/500', jpeg)
  const it = await setUp(t, { archive })
  const { page } = it
  await signIn(it)
  await page.getByText('No hits yet.').waitFor()
  await page.getByText('No reads yet.').waitFor()
  const publisher = await it.nats.connect()
  const hit = makeHit(1, {
    plate: '7ABC0I3',
    listedPlate: '7ABC013',
    exact: false,
    probability: 0.81,
    reason: 'AMBER alert',
    crop: { segment: '2026-W47-a.crops', offset: 0, length: 500 },
    tolerated: [{ position: 5, read: 'I', listed: '1', probability: 0.31 }],
  })
  const startedAt = Date.now()
  await publishHit(publisher, hit)
  const card = page.locator('.hit')
  await card.waitFor()
  t.comment(`published to shown: ${Date.now() - startedAt} ms`)
  const text = await card.innerText()
  for (const part of [
    'Possible match',
    'High',
    'AMBER alert',
    'Near match',
    '81 %',
    'read “I”, listed “1”',
    'Stolen vehicles',
    '3 h old',
    'Main St at 3rd, northbound',
    'PST',
    'northbound',
  ]) {
    t.ok(text.includes(part), part)
  }
  t.ok((await page.innerText('body')).includes('A hit alone is not grounds for a stop.'))
  t.same(await card.locator('.char-differs').allInnerTexts(), ['I', '1'])
  t.equal(await card.getByRole('img', { name: 'Plate as seen: 7 A B C 0 I 3' }).count(), 1)
  await until(() =>
    page
      .locator('.picture-plate img')
      .evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth === 60),
  )
  t.equal(await page.getByText('Read: 7 A B C 0 I 3.').count(), 1, 'spelled out for screen readers')
  t.equal(await page.getByText('1 new hit, 1 high').count(), 1, 'announced to screen readers')

  publisher.publish('reads.main-st-n', JSON.stringify(makeRead(1, { plate: '8O0XYZ1', lists: ['svs'] })))
  const read = page.locator('.read')
  await read.waitFor()
  t.match(await read.innerText(), /8O0XYZ1[\s\S]*91 %[\s\S]*on svs/)

  await publishHit(publisher, { ...hit, revision: 2, plate: '7ABC013', exact: true, tolerated: [], probability: 0.98 })
  await page.getByText('Exact match, 98 % likely').waitFor()
  t.equal(await card.count(), 1, 'the same card')
  await publishHit(publisher, { ...hit, revision: 3, state: 'withdrawn' })
  await page.getByText('Withdrawn', { exact: true }).waitFor()
  t.equal(await card.count(), 1)
  t.same(it.faults, [])
})

top.test('the console reconnects after the gateway restarts, and no hit is missed', options, async (t) => {
  const port = await freePort()
  const it = await setUp(t, { port })
  const { page, nats } = it
  await signIn(it)
  const publisher = await nats.connect()
  await publishHit(publisher, makeHit(1))
  await page.locator('.hit').waitFor()
  await it.gateway.close()
  await page.getByText('Connection lost', { exact: true }).waitFor()
  await page.getByText('Hits that arrive in the meantime are kept').waitFor()
  await page.getByText(/Down for \d:\d\d\./).waitFor()
  for (let n = 2; n <= 6; n++) await publishHit(publisher, makeHit(n))
  await startTestGateway(t, { nats, port })
  await page.getByText('Live', { exact: true }).waitFor({ timeout: 90_000 })
  await until(async () => (await page.locator('.hit').count()) === 6)
  await publishHit(publisher, makeHit(7))
  await until(async () => (await page.locator('.hit').count()) === 7)
  const shown = await page
    .locator('.hit article')
    .evaluateAll((cards) => cards.map((card) => (card as unknown as { dataset: { hit: string } }).dataset.hit))
  t.same(
    shown,
    [7, 6, 5, 4, 3, 2, 1].map((n) => makeHit(n).hitId),
    'each hit once, newest first',
  )
  await page.reload()
  await until(async () => (await page.locator('.hit').count()) === 7)
  t.same(it.faults, [])
})

top.test('the console reports a failure of NATS and recovers by itself', options, async (t) => {
  const it = await setUp(t)
  await signIn(it)
  await it.nats.kill()
  await it.page.getByText('No hits are arriving').waitFor()
  await it.nats.restart()
  await it.page.getByText('No hits are arriving').waitFor({ state: 'detached' })
  t.equal(await it.page.getByText('Live', { exact: true }).count(), 1, 'the connection to the gateway is intact')
})

top.test('shortcuts and pause work, lists are bounded, and a phone needs no sideways scrolling', options, async (t) => {
  const it = await setUp(t, { view: { width: 390, height: 844 } })
  const { page } = it
  await signIn(it)
  const publisher = await it.nats.connect()
  for (let n = 1; n <= 230; n++) await publishHit(publisher, makeHit(n))
  await until(async () => (await newest(page)) === makeHit(230).hitId)
  t.equal(await page.locator('.hit').count(), 200, 'the list is bounded')
  t.ok(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth'), 'the page fits the screen')

  await page.keyboard.press('p')
  await page.getByRole('button', { name: 'Resume' }).first().waitFor()
  await publishHit(publisher, makeHit(231))
  await page.getByRole('button', { name: 'Show 1 new hit' }).waitFor()
  t.equal(await newest(page), makeHit(230).hitId, 'a paused list does not move')
  await page.getByRole('button', { name: 'Show 1 new hit' }).click()
  await until(async () => (await newest(page)) === makeHit(231).hitId)

  await page.keyboard.press('j')
  await page.keyboard.press('j')
  t.equal(await page.evaluate('document.activeElement.dataset.hit'), makeHit(230).hitId)
  await page.keyboard.press('k')
  t.equal(await page.evaluate('document.activeElement.dataset.hit'), makeHit(231).hitId)
  await page.keyboard.press('?')
  await page.getByRole('dialog').waitFor()
  await page.getByLabel('Use single-letter shortcuts').uncheck()
  await page.getByRole('button', { name: 'Close' }).click()
  await page.keyboard.press('?')
  t.equal(await page.getByRole('dialog').count(), 0, 'shortcuts are off')
  t.same(it.faults, [])
})

top.test('every text has enough contrast, in both themes', options, async (t) => {
  const it = await setUp(t)
  const { page } = it
  await signIn(it)
  const publisher = await it.nats.connect()
  for (const [n, priority] of (['high', 'medium', 'low', 'informational'] as const).entries()) {
    await publishHit(
      publisher,
      makeHit(n + 1, {
        priority,
        exact: n === 0,
        tolerated: n === 0 ? [] : [{ position: 0, read: '', listed: '7', probability: 0.1 }],
        plate: n === 0 ? '7ABC001' : 'ABC001',
        listedPlate: '7ABC001',
        listLoadedAt: '2026-01-01T00:00:00.000Z',
      }),
    )
  }
  await publishHit(publisher, makeHit(5, { state: 'withdrawn', revision: 2 }))
  publisher.publish(
    'status.engine.e1',
    JSON.stringify({ instance: 'e1', at: '', waiting: { clickhouse: 'no answer' }, counters: {}, gauges: {} }),
  )
  publisher.publish('reads.c', JSON.stringify(makeRead(1, { lists: ['svs'] })))
  await page.getByText('waiting for clickhouse').waitFor()
  await page.locator('.read').waitFor()
  for (const theme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' })
    const lowContrast = (await page.evaluate(CONTRAST)) as string[]
    t.same(lowContrast, [], `at least 4.5:1 in the ${theme} theme`)
  }
})

top.test('the API documentation opens after sign-in and loads nothing from other hosts', options, async (t) => {
  const it = await setUp(t)
  await signIn(it)
  await it.page.goto(`${it.gateway.url}/docs/`)
  await it.page.getByText('Latest reads').waitFor()
  t.same(it.faults, [])
})

/** Texts with too little contrast to their background, as `ratio text`. Runs in the page. */
const CONTRAST = `(() => {
  const parse = (text) => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number)
    return { r, g, b, a }
  }
  const blend = (top, under) => {
    const mix = (name) => top[name] * top.a + under[name] * (1 - top.a)
    return { r: mix('r'), g: mix('g'), b: mix('b'), a: 1 }
  }
  const background = (element) => {
    if (!element) return { r: 255, g: 255, b: 255, a: 1 }
    const colour = parse(getComputedStyle(element).backgroundColor)
    return colour.a === 1 ? colour : blend(colour, background(element.parentElement))
  }
  const linear = (value) => value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4
  const luminance = ({ r, g, b }) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
  const found = []
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement
    const text = walker.currentNode.textContent.trim()
    if (!text || element.closest('.visually-hidden, dialog:not([open]), noscript, .skip')) continue
    const under = background(element)
    const colour = blend(parse(getComputedStyle(element).color), under)
    const [light, dark] = [luminance(colour), luminance(under)].sort((x, y) => y - x)
    const ratio = (light + 0.05) / (dark + 0.05)
    if (ratio < 4.5) found.push(ratio.toFixed(2) + ' ' + text)
  }
  return found
})()`

const newest = (page: Page) => page.locator('.hit article').first().getAttribute('data-hit')
