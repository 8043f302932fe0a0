import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AlprError, reasonOf } from '../errors.js'
import { ChdbSession } from './chdb_session.js'
import { isLocked } from './folder_lock.js'
import type { SettingLimits } from './request_address.js'
import { SessionPool } from './session_pool.js'

/** Bounds of all queries. */
export interface EngineBounds {
  /** Concurrent queries. */
  poolSize: number
  /** Queries that wait for a session. */
  maxWaiting: number
  /** Memory of one query or insert, bytes; all of them together have twice as much. */
  maxMemoryBytes: number
  /** A result that is not streamed, bytes. */
  maxResultBytes: number
  /** SQL text without data, bytes. */
  maxStatementBytes: number
}

/** Upper limit of a query or insert; clients request less. */
const MAX_SECONDS = 3_600
/**
 * Settings that apply at start only. Bounds the engine's idle threads: by default it keeps a thousand, each with three
 * open files, so a peak of a few seconds would keep them open forever.
 */
const CONFIG = '<clickhouse><max_thread_pool_free_size>64</max_thread_pool_free_size></clickhouse>\n'

/**
 * Opens the ClickHouse engine on a folder, in this process.
 * @param settings its configuration file
 * @returns its sessions, the limits of what a client may set, and its version
 * @throws ALPR_ERR_STORE_LOCKED when another process owns the folder, ALPR_ERR_STORE_UNAVAILABLE
 */
export async function openEngine(
  path: string,
  bounds: EngineBounds,
  settings = CONFIG,
): Promise<{ pool: SessionPool; limits: SettingLimits; version: string }> {
  const config = join(path, 'engine.xml')
  writeFileSync(config, settings, { mode: 0o600 })
  try {
    const pool = await SessionPool.open({
      size: bounds.poolSize,
      maxWaiting: bounds.maxWaiting,
      open: (mark) => ChdbSession.open(path, mark, fixedSettings(bounds), [`--config-file=${config}`]),
    })
    const limits = {
      known: await settingNames(pool),
      ceilings: ceilingsOf(bounds),
      tableFunctions: await tableFunctionNames(pool),
    }
    return { pool, limits, version: (await pool.control('SELECT version()')).trim() }
  } catch (error) {
    if (isLocked(path)) throw new AlprError('ALPR_ERR_STORE_LOCKED', { folder: path }, { cause: error })
    throw new AlprError('ALPR_ERR_STORE_UNAVAILABLE', { url: path, reason: reasonOf(error) }, { cause: error })
  }
}

const ceilingsOf = ({ maxMemoryBytes, maxResultBytes }: EngineBounds): Map<string, number> =>
  new Map([
    ['max_memory_usage', maxMemoryBytes],
    // All queries together: a few large ones at once must not exhaust the memory of the process.
    ['max_memory_usage_for_user', 2 * maxMemoryBytes],
    ['max_result_bytes', maxResultBytes],
    ['max_execution_time', MAX_SECONDS],
  ])

/** Settings of each session. */
const fixedSettings = (bounds: EngineBounds): Record<string, string> => ({
  ...Object.fromEntries([...ceilingsOf(bounds)].map(([name, value]) => [name, String(value)])),
  session_timezone: 'UTC',
  result_overflow_mode: 'throw',
  async_insert: '0',
  // Parameters are set by statements: a request of the maximum size must fit with every character escaped.
  max_query_size: String(4 * bounds.maxStatementBytes),
  // clickhouse-local takes "1+1" as a query, a server does not: a typing error must be an error.
  implicit_select: '0',
})

/** Names of all settings of the engine, and their aliases. */
async function settingNames(pool: SessionPool): Promise<Set<string>> {
  const lines = await pool.control(
    'SELECT name FROM system.settings UNION ALL SELECT alias_for FROM system.settings FORMAT TabSeparated',
  )
  return new Set(lines.split('\n').filter(Boolean))
}

async function tableFunctionNames(pool: SessionPool): Promise<Set<string>> {
  const lines = await pool.control('SELECT lower(name) FROM system.table_functions FORMAT TabSeparated')
  return new Set(lines.split('\n').filter(Boolean))
}
