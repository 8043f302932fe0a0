import { findProgram } from '../../engine/mod.js'

/** What a program of the system is needed for: to start, for the tests, or only for some commands. */
export type Purpose = 'start' | 'test' | 'some'

/** A program of the system that npm cannot bring. */
export interface SystemProgram {
  name: string
  /** Names under which it may be found on PATH. */
  programs: string[]
  /** Debian package that brings it. */
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
]

/** Where a program of the table is, or undefined. */
export const locate = ({ programs }: SystemProgram): string | undefined =>
  programs.map(findProgram).find((path) => path !== undefined)

/** Programs that `purpose` needs and that are not there. The tests need what the start needs. */
export function missingPrograms(purpose: 'start' | 'test'): SystemProgram[] {
  return SYSTEM_PROGRAMS.filter(
    (program) => (program.neededFor === 'start' || program.neededFor === purpose) && locate(program) === undefined,
  )
}
