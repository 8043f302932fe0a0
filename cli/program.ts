import { Command } from 'commander'
import { report } from './failure.js'
import { terminalText } from './terminal_text.js'
import { productVersion } from './version.js'

/** A command's file is loaded only when the command runs: `camera list` must not load the recognizer. */
const COMMANDS: Record<string, () => Promise<(program: Command) => void>> = {
  up: async () => (await import('./commands/up.js')).registerUp,
  'sign-in': async () => (await import('./commands/sign_in.js')).registerSignIn,
  store: async () => (await import('./commands/store.js')).registerStore,
  engine: async () => (await import('./commands/engine.js')).registerEngine,
  ingest: async () => (await import('./commands/ingest.js')).registerIngest,
  gateway: async () => (await import('./commands/gateway.js')).registerGateway,
  recognize: async () => (await import('./commands/recognize.js')).registerRecognize,
  feed: async () => (await import('./commands/feed.js')).registerFeed,
  import: async () => (await import('./commands/import.js')).registerImport,
  replay: async () => (await import('./commands/replay.js')).registerReplay,
  record: async () => (await import('./commands/record.js')).registerRecord,
  camera: async () => (await import('./commands/camera.js')).registerCamera,
  match: async () => (await import('./commands/match.js')).registerMatch,
  partial: async () => (await import('./commands/partial.js')).registerPartial,
  hotlist: async () => (await import('./commands/hotlist.js')).registerHotlist,
  partitions: async () => (await import('./commands/partitions.js')).registerPartitions,
  dead: async () => (await import('./commands/dead.js')).registerDead,
  ask: async () => (await import('./commands/ask.js')).registerAsk,
  backup: async () => (await import('./commands/backup.js')).registerBackup,
  restore: async () => (await import('./commands/restore.js')).registerRestore,
  doctor: async () => (await import('./commands/doctor.js')).registerDoctor,
}

function newProgram(): Command {
  return new Command('platestream')
    .description(
      'A stream engine that turns camera frames into plate reads, reads into hits, and a year of reads into answers.',
    )
    .version(productVersion())
    .exitOverride()
    .configureOutput({
      outputError: (text, write) =>
        write(
          `${terminalText(text)
            .replace(/^error: /, 'platestream: ')
            .replace(/\s*\n\s*/g, ' ')
            .trim()}\n`,
        ),
    })
    .addHelpText('after', '\nStart here: platestream up\nEvery command has its own --help.')
}

/** Every command with its subcommands, registered and not run: for the test of the records door. */
export async function allCommands(): Promise<Command> {
  const program = newProgram()
  for (const load of Object.values(COMMANDS)) (await load())(program)
  return program
}

/** Runs one command. @returns the exit code: 0 success, 1 failure, 2 wrong usage */
export async function runCommand(args: string[]): Promise<number> {
  const program = newProgram()
  const wanted = args.find((argument) => !argument.startsWith('-'))
  const names = wanted !== undefined && wanted in COMMANDS ? [wanted] : Object.keys(COMMANDS)
  try {
    for (const name of names) (await COMMANDS[name]!())(program)
    if (args.length === 0) {
      program.outputHelp()
      return 2
    }
    await program.parseAsync(args, { from: 'user' })
    return process.exitCode === undefined ? 0 : Number(process.exitCode)
  } catch (error) {
    return await report(error, args.includes('--json'))
  }
}
