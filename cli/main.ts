#!/usr/bin/env node
import { refuseOldNode } from './node_version.js'

refuseOldNode(process.versions.node)
// Loaded after the check: an older version of Node cannot even load what this imports.
const { runCommand } = await import('./program.js')
// Files with plates are for their owner only: exports, recordings, backups, what programs of ours write.
process.umask(0o077)
// A reader that closes the pipe early (`| head`) is not a failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
})
process.exitCode = await runCommand(process.argv.slice(2))
// A worker or a socket that a command left open must not keep the terminal waiting; unread output must.
process.stdout.write('', () => setTimeout(() => process.exit(), 2_000).unref())
