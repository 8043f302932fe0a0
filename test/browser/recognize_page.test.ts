import top, { type Test } from 'tap'
import type { Page } from 'playwright-core'
import sharp from 'sharp'
import { readFrames } from '../../engine/feeds/mod.js'
import { decodePicture, openRecognizer, type Detection } from '../../wasm/node.js'
import { startTestGateway } from '../gateway/fixtures/gateway.js'
import { until } from '../until.js'
import { bytesExpression, noBrowser, openBrowser } from './chromium.js'

const options = { skip: noBrowser, timeout: 240_000 }

/** A frame of the sample feed in which the recognizer in Node reads a plate with high confidence. */
async function clearPicture(): Promise<{ jpeg: Buffer; detections: Detection[] }> {
  const recognizer = await openRecognizer({ warmUps: 0 })
  for await (const { jpeg } of readFrames('bench/feeds/sample.mcap')) {
    const { width, height } = await decodePicture(jpeg, recognizer)
    const detections = recognizer.recognize(width, height)
    if (detections[0] && detections[0].confidence > 0.9 && detections[0].quality.widthPx > 90)
      return { jpeg: Buffer.from(jpeg), detections }
  }
  throw new Error('no frame of the sample feed has a plate with high confidence')
}

const { jpeg, detections } = await clearPicture()
const PLATE = detections[0]!.plate

interface Visit {
  page: Page
  /** Method and path of each request, in order. */
  requests: string[]
  /** Script errors and violations of the content security policy. */
  faults: string[]
}

async function visit(t: Test, view = { width: 1_280, height: 900 }): Promise<Visit> {
  const gateway = await startTestGateway(t)
  const browser = await openBrowser(t)
  const page = await browser.newPage({ viewport: view })
  page.setDefaultTimeout(90_000)
  const requests: string[] = []
  const faults: string[] = []
  page
    .context()
    .on('request', (request) => requests.push(`${request.method()} ${request.url().replace(gateway.url, '')}`))
  page.on('pageerror', (error) => faults.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text())
  })
  await page.goto(`${gateway.url}/recognize`)
  await page.getByText('Ready.').waitFor()
  return { page, requests, faults }
}

const choose = (page: Page, name: string, mimeType: string, buffer: Buffer) =>
  page.locator('input[type=file]').setInputFiles({ name, mimeType, buffer })

top.test('a chosen picture is read without a sign-in, and nothing leaves the machine', options, async (t) => {
  const { page, requests, faults } = await visit(t)
  t.ok(
    requests.some((request) => request === 'GET /recognizer.wasm') &&
      requests.some((request) => request === 'GET /platestream.psm'),
    'the page fetches module and model',
  )
  const before = requests.length
  await choose(page, 'car.jpg', 'image/jpeg', jpeg)
  const result = page.getByRole('article', { name: 'car.jpg' })
  const plate = result.getByRole('region', { name: `Plate 1: ${[...PLATE].join(' ')}` })
  await plate.waitFor()
  t.equal(await result.getByRole('region').count(), detections.length, 'the same number of plates as in Node')
  t.match(await result.innerText(), /\d+\.\d ms \(decode \d+\.\d, find \d+\.\d, read \d+\.\d\)/)
  const confidence = Math.min(99, Math.round(detections[0]!.confidence * 100))
  t.match(await plate.innerText(), new RegExp(`${confidence} % sure`))
  t.equal(await plate.locator('.position').count(), PLATE.length, 'a distribution for each position')
  const [x, y] = detections[0]!.quad[0]
  t.equal(
    await result
      .locator('.mark')
      .first()
      .getAttribute('points')
      .then((points) => points!.split(' ')[0]),
    `${x},${y}`,
    'the quad equals that of Node, bit for bit',
  )
  await until(
    async () =>
      (await page.evaluate(
        'document.querySelector(".marked canvas").getContext("2d").getImageData(10, 10, 1, 1).data[3]',
      )) === 255,
  )
  await page.getByText(`car.jpg: ${[...PLATE].join(' ')}`).waitFor({ state: 'attached' })

  // several pictures in a row, dropped and pasted
  await page.evaluate(`(async () => {
    const bytes = ${bytesExpression(jpeg)}
    const transfer = (...names) => {
      const data = new DataTransfer()
      for (const name of names) data.items.add(new File([bytes], name, { type: 'image/jpeg' }))
      return data
    }
    const dropped = { dataTransfer: transfer('first.jpg', 'second.jpg'), bubbles: true, cancelable: true }
    document.body.dispatchEvent(new DragEvent('drop', dropped))
    const pasted = { clipboardData: transfer('third.jpg'), bubbles: true }
    document.body.dispatchEvent(new ClipboardEvent('paste', pasted))
  })()`)
  for (const name of ['first.jpg', 'second.jpg', 'third.jpg'])
    await page.getByRole('article', { name }).getByRole('region', { name: 'Plate 1:' }).waitFor()
  t.equal(await page.getByRole('heading', { name: '4 pictures' }).count(), 1)
  await page.getByRole('button', { name: 'Clear' }).click()
  await page.getByText('No pictures yet').waitFor()
  t.same(requests.slice(before), [], 'no request after the page has loaded')
  t.same(faults, [], 'no error, no violation of the content security policy')
})

top.test('the page explains why a file cannot be read, and still reads the next picture', options, async (t) => {
  const { page, requests, faults } = await visit(t)
  const before = requests.length
  const tiny = await sharp(jpeg).resize(20, 100, { fit: 'fill' }).jpeg().toBuffer()
  const wide = await sharp({ create: { width: 8_300, height: 40, channels: 3, background: '#888' } })
    .png()
    .toBuffer()
  const cases: [string, string, Buffer, RegExp][] = [
    ['notes.txt', 'text/plain', Buffer.from('not a picture'), /This is a text file, which is not read here/],
    ['empty.jpg', 'image/jpeg', Buffer.alloc(0), /The file is empty/],
    ['tiny.jpg', 'image/jpeg', tiny, /too small: 20 × 100 pixels\. Each side needs at least 32/],
    ['wide.png', 'image/png', wide, /too small: 8300 × 40 pixels/],
    ['cut.jpg', 'image/jpeg', jpeg.subarray(0, jpeg.length >> 1), /ends too early/],
    [
      'holed.jpg',
      'image/jpeg',
      Buffer.concat([jpeg.subarray(0, jpeg.length >> 1), Buffer.from([0xff, 0xd9])]),
      /damaged/,
    ],
  ]
  for (const [name, type, bytes, words] of cases) {
    await choose(page, name, type, bytes)
    const result = page.getByRole('article', { name })
    await result.locator('.result-fault').waitFor()
    t.match(await result.innerText(), words, name)
  }
  await choose(page, 'good.jpg', 'image/jpeg', jpeg)
  await page.getByRole('article', { name: 'good.jpg' }).getByRole('region', { name: 'Plate 1:' }).waitFor()
  t.same(requests.slice(before), [])
  t.same(faults, [])
})

top.test('the page works by keyboard and fits a narrow screen', options, async (t) => {
  const { page, faults } = await visit(t, { width: 360, height: 700 })
  const chooser = page.waitForEvent('filechooser')
  await page.locator('input[type=file]').focus()
  await page.keyboard.press('Enter')
  await (await chooser).setFiles({ name: 'car.jpg', mimeType: 'image/jpeg', buffer: jpeg })
  await page.getByRole('region', { name: 'Plate 1:' }).first().waitFor()
  for (const width of [360, 768, 1_600]) {
    await page.setViewportSize({ width, height: 800 })
    t.ok(
      await page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth'),
      `nothing overflows at ${width} pixels`,
    )
  }
  t.same(faults, [])
})
