import type { Command } from 'commander'
import type { Finding } from '../doctor/finding.js'
import { ReportedFailure } from '../failure.js'
import { printJson, printLine, printNote } from '../output.js'
import { oneOf } from '../parse.js'
import { settingsFor, withSystemOptions, type SystemOptions } from '../system.js'

interface DoctorOptions extends SystemOptions {
  install?: boolean
  for: 'start' | 'test'
  json?: boolean
}

export function registerDoctor(program: Command): void {
  withSystemOptions(program.command('doctor'))
    .description('report what is missing on this machine or wrong with the running system, and how to fix it')
    .option('--install', 'install what is missing with apt-get, as root or with passwordless sudo')
    .option('--for <purpose>', 'what must work: start, or also test', oneOf('start', 'test'), 'start' as const)
    .option('--json', 'print one JSON line')
    .addHelpText(
      'after',
      `
Exit code 1: something required is missing, or the system that runs on the data folder (or at NATS_URL and
CLICKHOUSE_URL) has a fault.

Examples:
  platestream doctor
  platestream doctor --install --for test`,
    )
    .action(async (options: DoctorOptions) => {
      const settings = await settingsFor(options)
      if (options.install) await (await import('../doctor/install.js')).ensurePrograms(options.for, printNote)
      const findings = await (await import('../doctor/checks.js')).runChecks(settings)
      const bad = findings.filter((finding) => !finding.ok && isNeeded(finding, options.for))
      if (options.json)
        printJson({
          ok: bad.length === 0,
          findings: findings.map(({ remedy, ...finding }) => (finding.ok ? finding : { ...finding, remedy })),
        })
      else if (options.install) for (const finding of bad) printFinding(finding, options.for)
      else for (const finding of findings) printFinding(finding, options.for)
      if (bad.length > 0) throw new ReportedFailure(1)
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
