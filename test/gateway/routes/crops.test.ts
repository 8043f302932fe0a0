import t from 'tap'
import { BEARER, startTestGateway } from '../fixtures/gateway.js'

t.test('a picture is private and immutable, and a crop that does not exist is not found', async (t) => {
  const { app, archive } = await startTestGateway(t)
  archive.crops.set('2026-W47-a.crops/12/300', Buffer.from([0xff, 0xd8, 0xff, 0xd9]))
  const answer = await app.inject({ url: '/api/crops/2026-W47-a.crops/12/300', headers: BEARER })
  t.equal(answer.statusCode, 200)
  t.match(answer.headers, { 'content-type': 'image/jpeg', 'cache-control': /^private, / })
  t.same(answer.rawPayload, Buffer.from([0xff, 0xd8, 0xff, 0xd9]))
  t.match((await app.inject({ url: '/api/crops/2026-W47-a.crops/13/300', headers: BEARER })).json(), {
    code: 'ALPR_ERR_NOT_FOUND',
  })
})
