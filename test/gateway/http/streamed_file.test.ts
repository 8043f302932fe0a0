import t from 'tap'
import { started } from '../../../gateway/http/streamed_file.js'

t.test('a reader that takes nothing ends the pieces; one that reads on gets them all', async (t) => {
  let ended: (() => void) | undefined
  const end = new Promise<void>((resolve) => {
    ended = resolve
  })
  const many = async function* () {
    try {
      for (let i = 0; i < 1_000; i++) yield 'x'.repeat(10_000)
    } finally {
      ended!()
    }
  }
  const stream = await started(many(), 2, new AbortController().signal, undefined, 20)
  stream.read(1)
  await end
  t.equal(stream.destroyed, true)
  let length = 0
  for await (const piece of await started(many(), 2, new AbortController().signal, undefined, 10_000))
    length += piece.length
  t.equal(length, 10_000_000)
})
