import t from 'tap'
import { request } from 'node:http'
import { startTestGateway } from '../fixtures/gateway.js'

t.test('every response carries the security headers, a refusal too', async (t) => {
  const gateway = await startTestGateway(t)
  for (const path of ['/', '/healthz', '/api/status', '/nothing']) {
    const headers = await new Promise<Record<string, unknown>>((resolve, reject) => {
      request(`${gateway.url}${path}`, (response) => {
        response.resume()
        resolve(response.headers)
      })
        .on('error', reject)
        .end()
    })
    t.match(
      headers,
      {
        'content-security-policy': /^default-src 'self';/,
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'x-frame-options': 'DENY',
      },
      path,
    )
    t.notMatch(String(headers['content-security-policy']), /unsafe/)
  }
})

t.test(
  'only the worker of the recognizer may compile WebAssembly, and it connects to its own origin only',
  async (t) => {
    const { app } = await startTestGateway(t)
    const policyOf = async (url: string) =>
      String((await app.inject({ url, remoteAddress: '192.0.2.7' })).headers['content-security-policy'])
    t.equal(
      await policyOf('/recognize_worker.js'),
      "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'",
    )
    for (const url of ['/', '/recognize', '/recognize.js', '/recognizer.wasm'])
      t.notMatch(await policyOf(url), /unsafe/, url)
  },
)
