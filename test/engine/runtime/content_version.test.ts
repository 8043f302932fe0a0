import fc from 'fast-check'
import t from 'tap'
import { contentVersion } from '../../../engine/runtime/content_version.js'

t.test('a version is the first 16 hex digits of the SHA-256', async (t) => {
  t.equal(contentVersion(['abc']), 'ba7816bf8f01cfea')
  t.equal(contentVersion([]), 'e3b0c44298fc1c14')
})

t.test('the same bytes have the same version, no matter how they are cut', async () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' })), (pieces) => {
      const version = contentVersion(pieces)
      return (
        version === contentVersion([pieces.join('')]) && version === contentVersion(pieces.map((p) => Buffer.from(p)))
      )
    }),
  )
})
