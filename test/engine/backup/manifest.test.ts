import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { readManifest } from '../../../engine/backup/manifest.js'

const sha256 = '0'.repeat(64)
const stream = (name: string, more: object = {}) => ({
  name,
  config: { name, subjects: ['hits.>'], ...more },
  state: { messages: 1, first_seq: 1, last_seq: 1 },
  sha256,
  bytes: 1,
})
const whole = () => ({
  format: 1,
  product: 'platestream 0.1.0',
  schema: 1,
  at: '2026-12-01T00:00:00.000Z',
  streams: [stream('HITS'), stream('KV_CAMERAS')] as object[],
  tables: [{ table: 'reads', file: 'reads.0.native.gz', rows: 1, sha256 }] as object[],
  crops: [{ name: '2026-W47-engine.crops', bytes: 1 }] as object[],
})

async function folderOf(t: { teardown(end: () => unknown): unknown }, manifest: object): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'platestream-manifest-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  for (const part of ['streams', 'tables', 'crops']) await mkdir(join(folder, part))
  for (const name of ['streams/HITS.snapshot', 'streams/KV_CAMERAS.snapshot', 'tables/reads.0.native.gz'])
    await writeFile(join(folder, name), 'x')
  await writeFile(join(folder, 'crops/2026-W47-engine.crops'), 'x')
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest))
  return folder
}

t.test('a backup as the product writes it is read', async (t) => {
  t.match(await readManifest(await folderOf(t, whole())), { tables: [{ rows: 1 }] })
})

t.test('names, paths, sizes and links that the product does not write are refused', async (t) => {
  const changed: [string, object, RegExp][] = [
    ['a segment above the folder', { crops: [{ name: '../../x.crops', bytes: 1 }] }, /crops\.0\.name/],
    ['an absolute segment', { crops: [{ name: '/etc/cron.d/x', bytes: 1 }] }, /crops\.0\.name/],
    ['a size below zero', { crops: [{ name: '2026-W47-engine.crops', bytes: -1 }] }, /bytes/],
    ['another size', { crops: [{ name: '2026-W47-engine.crops', bytes: 2 }] }, /has 1 bytes, not the 2/],
    ['a segment twice', { crops: [...whole().crops, ...whole().crops] }, /listed twice/],
    ['a table name with SQL', { tables: [{ table: 'reads (a) --', file: 'a', rows: 1, sha256 }] }, /tables\.0/],
    [
      'a file above the folder',
      { tables: [{ table: 'reads', file: '../reads.0.native.gz', rows: 1, sha256 }] },
      /file/,
    ],
    [
      'a file of another table',
      { tables: [{ table: 'hits', file: 'reads.0.native.gz', rows: 1, sha256 }] },
      /not a file of table hits/,
    ],
    ['a stream above the folder', { streams: [stream('../HITS')] }, /streams\.0\.name/],
    ['a stream with dots', { streams: [stream('HITS.>')] }, /streams\.0\.name/],
    ['a stream of others', { streams: [stream('ORDERS')] }, /ORDERS is not a stream of this program/],
    ['a configuration of another', { streams: [stream('HITS', { name: 'DEAD' })] }, /configuration of another/],
    ['a mirror', { streams: [stream('HITS', { mirror: { name: 'X' } })] }, /has mirror/],
    ['a republish', { streams: [stream('HITS', { republish: { dest: '>' } })] }, /has republish/],
    ['no object', { streams: 7 }, /streams/],
    ['another format', { format: 2 }, /format is 2/],
  ]
  for (const [what, change, message] of changed)
    await t.rejects(
      readManifest(await folderOf(t, { ...whole(), ...change })),
      { code: 'ALPR_ERR_BACKUP_FAILED', message },
      what,
    )
  const linked = await folderOf(t, whole())
  await rm(join(linked, 'crops/2026-W47-engine.crops'))
  await symlink('/etc/hostname', join(linked, 'crops/2026-W47-engine.crops'))
  await t.rejects(readManifest(linked), { message: /is not a plain file/ })
  const elsewhere = await folderOf(t, whole())
  await rm(join(elsewhere, 'tables'), { recursive: true })
  await symlink('/tmp', join(elsewhere, 'tables'))
  await t.rejects(readManifest(elsewhere), { message: /tables is not a folder/ })
  await t.rejects(readManifest('/nowhere'), { code: 'ALPR_ERR_BACKUP_FAILED' })
})
