import { accessSync, constants, existsSync, statfsSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { NatsConnection } from 'nats'
import {
  connectNats,
  createClient,
  dataPaths,
  keepsCopies,
  SCHEMA_VERSION,
  schemaVersion,
  type Settings,
} from '../../engine/mod.js'
import { reasonOf } from '../../engine/runtime/mod.js'
import { bytesText } from '../output.js'
import { readRunFile } from '../run_file.js'
import { findNats, findStore } from '../system.js'
import type { Finding } from './finding.js'
import { locate, SYSTEM_PROGRAMS } from './programs.js'
import { streamChecks } from './streams.js'

/** With less free space, the private NATS server may refuse frames before its own limit applies, bytes. */
const kFreeBytes = 2_000_000_000

export async function runChecks(settings: Settings): Promise<Finding[]> {
  return [
    nodeVersion(),
    ...SYSTEM_PROGRAMS.map(systemProgram),
    await module('sharp', 'pictures of hits and import'),
    await module('@julusian/jpeg-turbo', 'decoding frames'),
    ...(settings.clickhouse.url ? [] : [await module('chdb', 'the embedded ClickHouse')]),
    ...['recognizer.wasm', 'matcher.wasm', 'platestream.psm'].map(builtFile),
    dataFolder(settings),
    ...(await runningSystem(settings)),
  ]
}

function nodeVersion(): Finding {
  const major = Number(process.versions.node.split('.')[0])
  return {
    what: 'Node.js',
    ok: major >= 20,
    detail: process.versions.node,
    remedy: 'install Node.js 20 or newer: https://nodejs.org',
    neededFor: 'start',
  }
}

function systemProgram(program: (typeof SYSTEM_PROGRAMS)[number]): Finding {
  const path = locate(program)
  return {
    what: program.name,
    ok: path !== undefined,
    detail: path ?? `missing; needed for ${program.use}`,
    remedy: `sudo apt-get install -y ${program.package}`,
    neededFor: program.neededFor,
  }
}

async function module(name: string, use: string): Promise<Finding> {
  try {
    await import(name)
    return { what: name, ok: true, detail: 'loads', neededFor: 'start' }
  } catch (error) {
    return {
      what: name,
      ok: false,
      detail: `does not load (${reasonOf(error)}); needed for ${use}`,
      remedy: 'npm ci',
      neededFor: 'start',
    }
  }
}

function builtFile(name: string): Finding {
  const path = fileURLToPath(new URL(`../../wasm/${name}`, import.meta.url))
  const ok = existsSync(path)
  return { what: name, ok, detail: ok ? path : 'not built', remedy: 'npm run build', neededFor: 'start' }
}

function dataFolder(settings: Settings): Finding {
  const { dataFolder: folder } = settings
  const finding = { what: 'data folder', neededFor: 'start' as const }
  try {
    let at = folder
    while (!existsSync(at)) at = dirname(at)
    accessSync(at, constants.W_OK)
    const { bavail, bsize } = statfsSync(at)
    const free = bavail * bsize
    if (free < kFreeBytes)
      return {
        ...finding,
        neededFor: 'some',
        ok: false,
        detail: `${folder}: ${bytesText(free)} free`,
        remedy: `free at least ${bytesText(kFreeBytes)}, or set PLATESTREAM_DATA_FOLDER to a folder on another disk`,
      }
    return { ...finding, ok: true, detail: `${folder}: ${bytesText(free)} free` }
  } catch (error) {
    return {
      ...finding,
      ok: false,
      detail: `${folder}: ${reasonOf(error)}`,
      remedy: 'set PLATESTREAM_DATA_FOLDER to a folder that this user can write to',
    }
  }
}

function serverCheck(connection: NatsConnection, replicas: number): Finding {
  const version = connection.info?.version ?? ''
  return {
    what: 'NATS',
    ok: replicas === 1 || keepsCopies(version),
    detail: `${connection.getServer()}, version ${version}${replicas > 1 ? `, ${replicas} copies of each stream` : ''}`,
    remedy: 'install nats-server 2.10 or newer: engines refuse to keep several copies with an older one',
    neededFor: 'running',
  }
}

/** Checks the running system, or, if none runs, whether the port of the console is free. */
async function runningSystem(settings: Settings): Promise<Finding[]> {
  const run = readRunFile(dataPaths(settings).run)
  const findings: Finding[] = []
  if (run || settings.nats.url) {
    try {
      const connection = await connectNats({ ...(await findNats(settings)), name: 'doctor', firstConnectMs: 1_000 })
      findings.push(serverCheck(connection, settings.nats.replicas))
      findings.push(...(await streamChecks(connection)))
      await connection.close()
    } catch (error) {
      findings.push({
        what: 'NATS',
        ok: false,
        detail: reasonOf(error),
        remedy: settings.nats.url
          ? 'check NATS_URL, its token and that server'
          : 'check the output of "platestream up"',
        neededFor: 'running',
      })
    }
  }
  if (run?.store || settings.clickhouse.url) findings.push(await storeCheck(settings))
  if (run?.console) findings.push(await readiness(run.console.url))
  if (!run) {
    const { host, port } = settings.gateway
    const free = port === 0 || (await isFree(host, port))
    findings.push({
      what: `port ${port}`,
      ok: free,
      detail: free ? 'free, for the console' : 'in use by another program',
      remedy: 'set PLATESTREAM_GATEWAY_PORT to a free port',
      neededFor: 'some',
    })
  }
  return findings
}

async function storeCheck(settings: Settings): Promise<Finding> {
  const finding = { what: 'ClickHouse', neededFor: 'running' as const }
  const client = createClient(settings, settings.clickhouse.url ? undefined : await findStore(settings), {
    requestTimeoutMs: 5_000,
  })
  try {
    const found = await schemaVersion(client, settings.clickhouse.database)
    return {
      ...finding,
      ok: found === SCHEMA_VERSION,
      detail: `reachable; its schema is ${found}, this program uses ${SCHEMA_VERSION}`,
      remedy: 'start an engine, which migrates it, or run: platestream store migrate',
    }
  } catch (error) {
    return {
      ...finding,
      ok: false,
      detail: reasonOf(error),
      remedy: settings.clickhouse.url
        ? 'check CLICKHOUSE_URL, user and password'
        : 'check the output of "platestream up"',
    }
  } finally {
    await client.close()
  }
}

async function readiness(url: string): Promise<Finding> {
  const what = 'running system'
  try {
    const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5_000) })
    const { reasons = [] } = (await answer.json()) as { reasons?: string[] }
    return {
      what,
      ok: answer.ok,
      detail: answer.ok ? `ready at ${url}` : `not ready: ${reasons.join('; ')}`,
      remedy: 'check the output of "platestream up"',
      neededFor: 'running',
    }
  } catch (error) {
    return {
      what,
      ok: false,
      detail: `${url} does not answer: ${reasonOf(error)}`,
      remedy: 'restart it: platestream up',
      neededFor: 'running',
    }
  }
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, host, () => probe.close(() => resolve(true)))
  })
}
