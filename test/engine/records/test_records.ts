import { CanvassService, type CanvassServiceOptions } from '../../../engine/canvass/canvass_service.js'
import type { Access, AccessEnd, AccessGate, AccessRequest } from '../../../engine/records/access.js'
import { LogGate } from '../../../engine/records/log_gate.js'
import { Records } from '../../../engine/records/records.js'
import type { StoredRecords } from '../../../engine/records/stored_records.js'
import { WHOLE, type Scope } from '../../../engine/store/scope.js'

export const ACCESS: Access = { who: 'test', purpose: 'test', session: 'test' }

/** A gate that lets everything through, in `scope`, and remembers what it heard. */
export class OpenGate implements AccessGate {
  readonly begun: (Access & AccessRequest)[] = []
  readonly ended: AccessEnd[] = []

  constructor(private readonly scope: Scope = WHOLE) {}

  async begin(access: Access, request: AccessRequest) {
    this.begun.push({ ...access, ...request })
    return { scope: this.scope, end: async (end: AccessEnd) => void this.ended.push(end) }
  }
}

/** The records door over a store's client, for questions; without stored rows. */
export function testRecords(options: CanvassServiceOptions & { gate?: AccessGate; stored?: StoredRecords }): Records {
  const { gate = new LogGate(() => {}), stored = {} as StoredRecords, ...canvass } = options
  return new Records(stored, new CanvassService(canvass), gate)
}
