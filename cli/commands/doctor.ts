import type { Command } from 'commander'
import { runChecks, type Finding } from '../doctor/checks.js'
import { ensurePrograms } from '../doctor/install.js'
import { Told } from '../failure.js'
import { printJson, printLine, tell } from '../output.js'
import { oneOf } from '../parse.js'
import { settingsFor, withSystemOptions, type SystemOptions } from '../system.js'

interface DoctorOptions extends SystemOptions {
  install?: boolean
  for: 'start' | 'test'
  json?: boolean
}

export function registerDoctor(program: Command): void {
  withSystemOptions(program.command('doctor'))
    .description('say what is missing on this machine or wrong with the running system, and what to do about it')
    .option('--install', 'install what is missing by apt-get, where that is allowed (root, or sudo without a password)')
    .option('--for <purpose>', 'what must work: start, or test as well', oneOf('start', 'test'), 'start' as const)
    .option('--json', 'one JSON line')
    .addHelpText(
      'after',
      `
Exit code 1 when something is missing that is needed, or a system that runs on the data folder (or behind NATS_URL, CLICKHOUSE_URL) is not well.

Examples:
  platestream doctor
  platestream doctor --install --for test`,
    )
    .action(async (options: DoctorOptions) => {
      const settings = settingsFor(options)
      if (options.install) await ensurePrograms(options.for, tell)
      const findings = await runChecks(settings)
      const bad = findings.filter((finding) => !finding.ok && isNeeded(finding, options.for))
      if (options.json)
        printJson({
          ok: bad.length === 0,
          findings: findings.map(({ remedy, ...finding }) => (finding.ok ? finding : { ...finding, remedy })),
        })
      else if (options.install) for (const finding of bad) printFinding(finding, options.for)
      else for (const finding of findings) printFinding(finding, options.for)
      if (bad.length > 0) throw new Told(1)
    })
}

const isNeeded = ({ neededFor }: Finding, purpose: 'start' | 'test'): boolean =>
  neededFor === 'start' || neededFor === 'running' || neededFor === purpose

function printFinding(finding: Finding, purpose: 'start' | 'test'): void {
  const mark = finding.ok
    ? 'ok     '
    : finding.neededFor === 'running'
      ? 'BROKEN '
      : isNeeded(finding, purpose)
        ? 'MISSING'
        : 'note   '
  printLine(`${mark}  ${finding.what.padEnd(20)}  ${finding.detail}`)
  if (!finding.ok) printLine(`         ${''.padEnd(20)}  -> ${finding.remedy}`)
}
