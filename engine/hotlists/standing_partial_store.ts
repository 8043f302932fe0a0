import type { JetStreamClient, KV } from 'nats'
import { AlprError } from '../errors.js'
import { BUCKET } from '../nats/topology.js'
import { parseStandingPartial, PARTIAL_ID, type StandingPartial } from './standing_partial.js'

/** Standing partials at a time: each read of each vehicle is held against all of them. */
export const MAX_STANDING_PARTIALS = 200

/**
 * Enters a standing partial, or changes it; engines follow within moments. One that ended stays until it is removed, so
 * that it can be looked up.
 * @throws ALPR_ERR_PARTIAL_INVALID, ALPR_ERR_PATTERN_...
 */
export async function saveStandingPartial(client: JetStreamClient, partial: StandingPartial): Promise<StandingPartial> {
  const checked = parseStandingPartial(partial)
  const records = await open(client)
  const held = (await all(records)).filter(({ id, until }) => id !== checked.id && until > Date.now())
  if (held.length >= MAX_STANDING_PARTIALS)
    throw new AlprError('ALPR_ERR_PARTIAL_INVALID', {
      partial: checked.id,
      reason: `${MAX_STANDING_PARTIALS} standing partials are in force already`,
    })
  await records.put(checked.id, JSON.stringify(checked))
  return checked
}

/** All of them by id, also those that ended; records that are not valid are left out. */
export async function listStandingPartials(client: JetStreamClient): Promise<StandingPartial[]> {
  return all(await open(client))
}

/** @throws ALPR_ERR_PARTIAL_UNKNOWN */
export async function removeStandingPartial(client: JetStreamClient, id: string): Promise<void> {
  const records = await open(client)
  if (!PARTIAL_ID.test(id) || (await records.get(id))?.operation !== 'PUT')
    throw new AlprError('ALPR_ERR_PARTIAL_UNKNOWN', { partial: id })
  await records.delete(id)
}

const open = (client: JetStreamClient): Promise<KV> => client.views.kv(BUCKET.partials, { bindOnly: true })

async function all(records: KV): Promise<StandingPartial[]> {
  const ids: string[] = []
  for await (const id of await records.keys()) ids.push(id)
  const found: StandingPartial[] = []
  for (const id of ids.sort()) {
    const entry = await records.get(id)
    if (entry?.operation !== 'PUT') continue
    try {
      found.push(parseStandingPartial(entry.json()))
    } catch {
      /* not valid: not in force either */
    }
  }
  return found
}
