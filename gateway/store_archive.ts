import { AlprError } from '../engine/errors.js'
import type { Settings } from '../engine/settings.js'
import type { Archive } from './archive.js'

export function openArchive(_settings: Settings, { url }: { url: string; password?: string }, _crops: string): Archive {
  const away = async (): Promise<never> => { throw new AlprError('ALPR_ERR_STORE_UNAVAILABLE', { url, reason: 'not built in yet' }) }
  return { ping: away, reads: away, hits: away, ledger: away, crop: away, close: async () => {} }
}
