import { join } from 'node:path'
import type { NatsConnection } from 'nats'
import { CameraRegistry, type CameraPush } from '../../../engine/mod.js'
import { loadSecrets, newPushSecret, savePushCredential } from '../../../engine/runtime/mod.js'
import type { PushRequest } from '../../../gateway/push/request.js'
import { startTestNats, type Teardown, type TestNats } from '../../servers/nats.js'
import { until } from '../../until.js'
import { startTestGateway, type TestGateway } from '../fixtures/gateway.js'

/** A request as an adapter gets it. */
export const requestOf = (
  body: Buffer | string,
  push: Partial<CameraPush> & Pick<CameraPush, 'kind'>,
  more: Partial<PushRequest> = {},
): PushRequest => ({
  path: '/',
  query: new URLSearchParams(),
  headers: {},
  body: Buffer.from(body),
  arrivedAt: Date.UTC(2026, 4, 1, 9),
  ...more,
  push: { credentials: ['path'], ...push },
})

/** A multipart body; each part is its header lines and its data. */
export function multipart(
  boundary: string,
  parts: readonly (readonly [header: string, data: Buffer | string])[],
): Buffer {
  return Buffer.concat([
    ...parts.flatMap(([header, data]) => [
      Buffer.from(`--${boundary}\r\n${header}\r\n\r\n`),
      Buffer.from(data as string),
      Buffer.from('\r\n'),
    ]),
    Buffer.from(`--${boundary}--\r\n`),
  ])
}

export interface PushSystem {
  nats: TestNats
  connection: NatsConnection
  gateway: TestGateway
  /** Address of the door. */
  url: string
  /** Registers a camera that pushes. @returns its secret */
  add(id: string, push: Partial<CameraPush> & Pick<CameraPush, 'kind'>): Promise<string>
}

/** A real nats-server and a gateway with an open door. */
export async function startPushSystem(t: Teardown, settings: Record<string, unknown> = {}): Promise<PushSystem> {
  const nats = await startTestNats(t, { partitions: 1 })
  const connection = await nats.connect()
  const gateway = await startTestGateway(t, {
    nats: { url: nats.url, token: nats.token },
    settings: { 'push.port': 0, ...settings },
  })
  const file = join(gateway.dataFolder, 'secrets.json')
  loadSecrets(file)
  const registry = await CameraRegistry.open(connection)
  return {
    nats,
    connection,
    gateway,
    url: gateway.pushUrl!,
    add: async (id, push) => {
      const { secret, credential } = newPushSecret(id)
      await savePushCredential(file, id, credential)
      const place = { lat: 38.75, lon: -121.28, kind: 'fixed', name: id }
      await registry.put({ id, ...place, push: { credentials: ['path', 'bearer', 'basic', 'digest'], ...push } })
      await until(() => gateway.services.registry.camera(id) !== undefined)
      return secret
    },
  }
}
