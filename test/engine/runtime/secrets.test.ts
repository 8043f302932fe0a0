import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { loadSecrets } from '../../../engine/runtime/secrets.js'

const folder = mkdtempSync(join(tmpdir(), 'platestream-secrets-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

t.test('secrets are created once, never change, and are closed to others', async (t) => {
  const file = join(folder, 'a', 'secrets.json')
  const first = loadSecrets(file)
  t.match(first, { nats: /^[0-9a-f]{64}$/, store: /^[0-9a-f]{64}$/, console: /^[0-9a-f]{64}$/ })
  t.equal(new Set(Object.values(first)).size, 3)
  chmodSync(file, 0o644)
  t.same(loadSecrets(file), first)
  t.equal(statSync(file).mode & 0o777, 0o600)
})

t.test('a damaged file is an error and is not replaced', async (t) => {
  const file = join(folder, 'damaged.json')
  for (const text of ['', 'null', '{}', '{"nats":"short"}']) {
    writeFileSync(file, text)
    t.throws(() => loadSecrets(file), { code: 'ALPR_ERR_SETTINGS_INVALID', message: /"nats" is missing or damaged/ })
  }
})
