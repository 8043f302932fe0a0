import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { runCommand } from '../../cli/program.js'

export const CLI = fileURLToPath(new URL('../../cli/main.js', import.meta.url))

export interface Outcome {
  code: number
  stdout: string
  stderr: string
}

/** Environment of a command under test, without the settings of this machine. */
export function environment(more: Record<string, string> = {}): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {}
  for (const [name, value] of Object.entries(process.env))
    if (!/^(PLATESTREAM_|NATS_URL$|CLICKHOUSE_URL$)/.test(name)) env[name] = value
  return { ...env, ...more }
}

/** Runs a command to its end in a child process. */
export function run(
  args: string[],
  options: { env?: Record<string, string>; cwd?: string; onStart?: (child: ChildProcess) => void } = {},
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CLI, ...args], {
      env: environment(options.env),
      cwd: options.cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    child.once('error', reject)
    child.once('close', (code) => resolve({ code: code ?? -1, stdout, stderr }))
    options.onStart?.(child)
  })
}

/**
 * Runs a command in this process, because starting node takes longer than most commands. It captures the standard
 * streams, so only one command runs at a time and the test must not print meanwhile.
 */
export async function call(args: string[], env: Record<string, string> = {}): Promise<Outcome> {
  const before = { ...process.env }
  for (const name of Object.keys(process.env))
    if (/^(PLATESTREAM_|NATS_URL$|CLICKHOUSE_URL$)/.test(name)) delete process.env[name]
  Object.assign(process.env, env)
  const taken = { stdout: '', stderr: '' }
  const writes = { stdout: process.stdout.write, stderr: process.stderr.write }
  for (const name of ['stdout', 'stderr'] as const) {
    process[name].write = ((text: string | Uint8Array) => {
      taken[name] += String(text)
      return true
    }) as typeof process.stdout.write
  }
  try {
    const code = await runCommand(args)
    return { code, ...taken }
  } finally {
    process.stdout.write = writes.stdout
    process.stderr.write = writes.stderr
    process.env = before
  }
}

export const json = (outcome: Outcome): any => JSON.parse(outcome.stdout)
export const jsonLines = (outcome: Outcome): any[] =>
  outcome.stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
