import t from 'tap'
import { ConsoleClient } from '../fixtures/console_client.js'
import { startTestGateway } from '../fixtures/gateway.js'

t.test('a console that sends an invalid message gets the reason and is closed', async (t) => {
  for (const [text, reason] of [
    ['{', 'not JSON'],
    ['{"type":"other"}', 'type'],
    ['{"type":"subscribe","since":"5"}', 'since'],
    ['{"type":"subscribe","more":1}', 'more'],
    ['{"type":"subscribe","since":-1}', 'since'],
    ['{"type":"subscribe","area":[1,2,3]}', 'area'],
    ['{"type":"subscribe","lists":["A B"]}', 'lists'],
  ] as const) {
    const gateway = await startTestGateway(t)
    const client = await ConsoleClient.open(t, gateway.url)
    client.socket.send(text)
    await client.until((c) => c.closed !== undefined, 'the close')
    t.match(client.of('error')[0], { code: 'ALPR_ERR_REQUEST_INVALID', message: new RegExp(reason) }, text)
    t.equal(client.closed!.code, 4400)
  }
  const gateway = await startTestGateway(t)
  const flood = await ConsoleClient.open(t, gateway.url)
  for (let i = 0; i < 30; i++) flood.subscribe({})
  await flood.until((c) => c.closed !== undefined, 'the close')
  t.equal(flood.closed!.code, 4400)
  const big = await ConsoleClient.open(t, gateway.url)
  big.socket.send('x'.repeat(70_000))
  await big.until((c) => c.closed !== undefined, 'the close')
  t.equal(big.closed!.code, 1009)
})
