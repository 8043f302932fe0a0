import { findProgram } from '../../engine/mod.js'

/** What needs a program: starting the system, the tests, or only some commands. */
export type Purpose = 'start' | 'test' | 'some'

/** A system program that npm cannot install. */
export interface SystemProgram {
  name: string
  /** Names to look for on PATH. */
  programs: string[]
  /** Debian package that contains it. */
  package: string
  neededFor: Purpose
  use: string
}

export const SYSTEM_PROGRAMS: readonly SystemProgram[] = [
  {
    name: 'nats-server',
    programs: ['nats-server'],
    package: 'nats-server',
    neededFor: 'start',
    use: 'the private NATS server',
  },
  { name: 'ffmpeg', programs: ['ffmpeg'], package: 'ffmpeg', neededFor: 'test', use: '"platestream import" of videos' },
  {
    name: 'chromium',
    programs: ['chromium', 'chromium-browser', 'google-chrome'],
    package: 'chromium',
    neededFor: 'test',
    use: 'the browser tests',
  },
  { name: 'openssl', programs: ['openssl'], package: 'openssl', neededFor: 'test', use: 'certificates of tests' },
  { name: 'nginx', programs: ['nginx'], package: 'nginx-light', neededFor: 'test', use: 'the tests behind a proxy' },
  { name: 'Caddy', programs: ['caddy'], package: 'caddy', neededFor: 'test', use: 'the tests behind a proxy' },
]

/** Path of a program, or undefined if it is not installed. */
export const locate = ({ programs }: SystemProgram): string | undefined =>
  programs.map(findProgram).find((path) => path !== undefined)

/** Missing programs that `purpose` needs. The tests also need what the start needs. */
export function missingPrograms(purpose: 'start' | 'test'): SystemProgram[] {
  return SYSTEM_PROGRAMS.filter(
    (program) => (program.neededFor === 'start' || program.neededFor === purpose) && locate(program) === undefined,
  )
}
