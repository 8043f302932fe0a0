import { userInfo } from 'node:os'
import type { Command } from 'commander'
import type { NatsConnection } from 'nats'
import type { Access, AccessGate, Records, Settings } from '../engine/mod.js'
import { printNote } from './output.js'
import { findNats, findStore, loadEngine, settingsFor, type SystemOptions } from './system.js'

/** Options of every command that shows or copies plate data. */
export interface AccessOptions extends SystemOptions {
  purpose?: string
}

export const withPurpose = (command: Command): Command =>
  command.option('--purpose <text>', 'purpose of the access: category and case number')

/** The person at this terminal, by the account of the operating system. */
export async function accessOf({ purpose }: AccessOptions): Promise<Access> {
  const { NOT_STATED } = await loadEngine()
  return { who: `cli ${userInfo().username}`, purpose: purpose?.trim() || NOT_STATED, session: `cli ${process.pid}` }
}

/** Says on standard error which access begins, with its request: the record of a command is the log of its terminal. */
export async function accessGate(): Promise<AccessGate> {
  const { LogGate } = await loadEngine()
  return new LogGate((line) => {
    if (line.phase !== 'begin') return
    const { kind, who, purpose, input } = line
    printNote(`access: ${kind} by ${who}, purpose ${purpose}: ${JSON.stringify(input).slice(0, 500)}`)
  })
}

/** Runs `work` with the records door of the running system and closes it. */
export async function withRecords<T>(
  options: AccessOptions,
  work: (records: Records, access: Access) => Promise<T>,
): Promise<T> {
  const { openRecords } = await loadEngine()
  const settings = await settingsFor(options)
  const store = settings.clickhouse.url ? undefined : await findStore(settings)
  return withLazyNats(settings, async (nats) => {
    const opened = openRecords({
      settings,
      ...(store && { store }),
      gate: await accessGate(),
      nats,
      log: { warn: (_, text) => printNote(text) },
    })
    try {
      return await work(opened.records, await accessOf(options))
    } finally {
      await opened.close()
    }
  })
}

/** A connection that is made when a question names a hot list, and closed at the end. */
async function withLazyNats<T>(
  settings: Settings,
  work: (nats: () => Promise<NatsConnection>) => Promise<T>,
): Promise<T> {
  const { connectNats } = await loadEngine()
  let connection: Promise<NatsConnection> | undefined
  const connect = async () => connectNats({ ...(await findNats(settings)), name: 'cli records' })
  try {
    return await work(() => (connection ??= connect()))
  } finally {
    await (await connection?.catch(() => undefined))?.close()
  }
}
