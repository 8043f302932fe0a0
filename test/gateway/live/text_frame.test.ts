import t from 'tap'
import fc from 'fast-check'
import * as ws from 'ws'
import { textFrame } from '../../../gateway/live/text_frame.js'

/** ws exports it, but its types do not. */
const { Receiver } = ws as unknown as { Receiver: new (options: object) => NodeJS.WritableStream & NodeJS.EventEmitter }

/** The messages that ws's receiver decodes. */
function received(bytes: Buffer): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const texts: string[] = []
    const receiver = new Receiver({ isServer: false })
    receiver.on('message', (data: Buffer, binary: boolean) => texts.push(binary ? 'binary' : data.toString()))
    receiver.on('error', reject)
    receiver.end(bytes, () => resolve(texts))
  })
}

t.test('a WebSocket client reads the text back, for every form of the length', async (t) => {
  const texts = [0, 1, 125, 126, 127, 65_535, 65_536, 70_000].map((length) => 'x'.repeat(length))
  t.same(await received(Buffer.concat(texts.map(textFrame))), texts)
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 5 }),
      async (some) => (await received(Buffer.concat(some.map(textFrame)))).join('|') === some.join('|'),
    ),
    { numRuns: 200 },
  )
})
