// Imports nothing: it must load on every version of Node.

/** The oldest major version of Node that works: `engines` in package.json. */
const OLDEST = 20

/** Ends the process with exit code 1 and one line when Node is too old. @param version such as `18.20.8` */
export function refuseOldNode(version: string): void {
  if (Number(version.split('.')[0]) >= OLDEST) return
  process.stderr.write(
    `platestream: ALPR_ERR_SYSTEM_MISSING: Node ${version} is too old: Platestream needs Node ${OLDEST} or newer ` +
      '(https://nodejs.org, or Debian 13 and newer)\n',
  )
  process.exit(1)
}
