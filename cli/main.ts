#!/usr/bin/env node
import { runCommand } from './program.js'

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
})
process.exitCode = await runCommand(process.argv.slice(2))
// What a command has left open (a worker, a socket that closes slowly) must not keep the terminal waiting; an answer
// not yet read must.
process.stdout.write('', () => setTimeout(() => process.exit(), 2_000).unref())
