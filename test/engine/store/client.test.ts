import t from 'tap'
import { ClickHouseError } from '@clickhouse/client'
import { AlprError } from '../../../engine/errors.js'
import { loadSettings } from '../../../engine/settings.js'
import { createClient, isRetryable, storeError } from '../../../engine/store/client.js'

t.test('transient errors are retryable, others are not', async (t) => {
  const of = (type: string) => new ClickHouseError({ message: 'x', code: '1', type })
  for (const error of [
    of('MEMORY_LIMIT_EXCEEDED'),
    of('NOT_ENOUGH_SPACE'),
    of('TOO_MANY_SIMULTANEOUS_QUERIES'),
    of('QUERY_WAS_CANCELLED'),
    new AlprError('ALPR_ERR_CROP_UNWRITABLE', {}),
    Object.assign(new Error('x'), { code: 'ECONNREFUSED' }),
    Object.assign(new Error('x'), { code: 'ECONNRESET' }),
    new Error('Timeout error.'),
    new Error('socket hang up'),
  ])
    t.equal(isRetryable(error), true, String(error))
  for (const error of [
    of('UNKNOWN_TABLE'),
    of('SYNTAX_ERROR'),
    of('AUTHENTICATION_FAILED'),
    of('TOO_MANY_BYTES'),
    new AlprError('ALPR_ERR_ROW_INVALID', {}),
    new TypeError('x is not a function'),
    undefined,
    'text',
  ])
    t.equal(isRetryable(error), false, String(error))
})

t.test('a ClickHouse error becomes a coded error without the query in it', async (t) => {
  t.match(
    storeError(
      new ClickHouseError({
        message: "full while executing equals(plate, '8ABC123')",
        code: '243',
        type: 'NOT_ENOUGH_SPACE',
      }),
      'http://s',
    ),
    { code: 'ALPR_ERR_STORE_UNAVAILABLE', details: { url: 'http://s', reason: 'NOT_ENOUGH_SPACE (243)' } },
  )
  t.match(storeError(new Error('odd'), 'http://s'), { code: 'ALPR_ERR_INTERNAL' })
  const own = new AlprError('ALPR_ERR_REQUEST_INVALID', { reason: 'limit' })
  t.equal(storeError(own, 'http://s'), own)
})

t.test('a client connects to the server of the settings, else to the embedded store', async (t) => {
  t.throws(() => createClient(loadSettings({ env: {} })), {
    code: 'ALPR_ERR_SETTINGS_INVALID',
    details: { key: 'clickhouse.url' },
  })
  const client = createClient(loadSettings({ env: { CLICKHOUSE_URL: 'http://127.0.0.1:1' } }), {
    url: 'http://127.0.0.1:2',
    token: 'x',
  })
  t.match(await client.ping(), { success: false, error: { message: /127\.0\.0\.1:1$/ } })
  await client.close()
})
