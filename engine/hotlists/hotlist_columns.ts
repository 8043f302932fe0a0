import type { AlprError } from '../errors.js'

/** What a column of a list can be. */
export const COLUMN_ROLES = ['plate', 'reason', 'region', 'from', 'until'] as const
export type ColumnRole = (typeof COLUMN_ROLES)[number]

/** The columns of a file: their names in the header row, or their numbers from 1 in a file without one. */
export type HotListColumns = Partial<Record<ColumnRole, string>>

/** A column of a fixed-width file: characters `start` to `end`, from 1, both inclusive. */
export interface FixedColumn {
  name: ColumnRole
  start: number
  end: number
}

/** Index of each column in the fields of a record, -1 when the file does not have it. */
export type ColumnIndexes = Record<ColumnRole, number>

/** A column of the file, and what it was taken for; undefined: it is left out. */
export interface ColumnUse {
  name: string
  as?: ColumnRole
}

/** Makes the error that refuses the file. */
export type Refuse = (reason: string) => AlprError

const END = 'expir(?:y|es|ed|ation|ing)|exp'
const WHEN = '(?:date|day|time|datetime|timestamp|dt|on|at)?'
const OF_ENTRY = '(?:entry|record|alert|hotlist|list|hit)?'

/**
 * Column names in the lists of agencies, without blanks, dashes and such; the first pattern that a column of the header
 * has wins. The expiry of a plate or a registration is not that of its entry: such a column is left out.
 */
const COMMON_NAMES: Record<ColumnRole, readonly RegExp[]> = {
  plate: [
    /^(?:licen[cs]e)?plate(?:number|no|num|text|nr)?$/,
    /^(?:licen[cs]e|lic|number|vehicle|veh|car|reg)plate(?:number|no|num)?$/,
    /^licen[cs]e(?:number|no)$/,
    /^tag(?:number|no)?$/,
    /^(?:vehicle)?(?:registration|reg)(?:number|no|num|mark)?$/,
    /^(?:vrm|vrn|lic|licno|lpn|lp|lpno|lpnumber)$/,
    /^(?:kennzeichen|immatriculation|matricula|targa|kenteken|tablica)$/,
  ],
  reason: [
    /^(?:alert|hit|list|hotlist|entry|stop)?reason(?:text|description)?$/,
    /^(?:alert)?category$/,
    /^alert(?:type)?$/,
    /^(?:offen[cs]e|crime|charge)(?:type|description)?$/,
    /^(?:alert|reason|hit)?description$/,
    /^(?:comments?|notes?|remarks?|narrative|details?|misc|mis|information)$/,
    /^(?:grund|motif|motivo)$/,
  ],
  region: [
    /^(?:licen[cs]e|lic|tag|reg|registration)?(?:plate)?state(?:code|abbr|province|orprovince)?$/,
    /^(?:plate)?(?:region|jurisdiction|issuer|province)$/,
    /^(?:stateof)(?:issue|registration)$/,
    /^issuing(?:state|jurisdiction)$/,
    /^(?:st|lis)$/,
    /^(?:plate)?country(?:code)?$/,
  ],
  from: [
    new RegExp(
      `^${OF_ENTRY}(?:effective|valid|active|inforce|effect)(?:from|since|startdate|start)?(?:date|time|on|dt)$`,
    ),
    /^(?:valid|effective|active|inforce)(?:from|since|start|begin)(?:date|time)?$/,
    new RegExp(`^${OF_ENTRY}(?:start|starts|begin|begins|beginning|from)${WHEN}$`),
    /^(?:effective|date(?:from|start|begin|effective))$/,
  ],
  until: [
    new RegExp(`^${OF_ENTRY}(?:${END})${WHEN}$`),
    new RegExp(`^(?:date|dt)(?:of)?(?:${END}|end|to|until)$`),
    /^(?:valid|effective|active|inforce|good)(?:until|till|til|thru|through|to|end|ends|enddate)(?:date|time)?$/,
    new RegExp(`^${OF_ENTRY}(?:end|ends|ending|until|till|thru|through|to|stop)${WHEN}$`),
    /^(?:weed|purge|removal|deletion)(?:date|on)$/,
  ],
}

/** Like words of a header: lower case, without accents and without what is no letter or digit. */
const plain = (name: string): string =>
  name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '')

/** Whether a header has a column that is known to be the plate, or the one that is wanted. */
export function hasPlate(header: readonly string[], wanted?: string): boolean {
  if (wanted !== undefined) return header.some((name) => plain(name) === plain(wanted) && plain(name) !== '')
  return header.some((name) => COMMON_NAMES.plate.some((pattern) => pattern.test(plain(name))))
}

/** Index of each column by its name in the header, -1 when missing. @throws what `invalid` makes */
export function byName(header: readonly string[], wanted: HotListColumns, invalid: Refuse): ColumnIndexes {
  const names = header.map(plain)
  const taken = new Set<number>()
  const indexes = { plate: -1, reason: -1, region: -1, from: -1, until: -1 }
  for (const role of COLUMN_ROLES) {
    const given = wanted[role]
    if (given === undefined) continue
    const exact = header.findIndex((name) => name.trim() === given.trim())
    const at = exact >= 0 ? exact : names.indexOf(plain(given))
    if (at < 0) throw invalid(`there is no column "${given}"; the header has ${shownNames(header)}`)
    indexes[role] = at
    taken.add(at)
  }
  for (const role of COLUMN_ROLES) {
    if (wanted[role] !== undefined) continue
    for (const pattern of COMMON_NAMES[role]) {
      const at = names.findIndex((name, index) => !taken.has(index) && pattern.test(name))
      if (at < 0) continue
      indexes[role] = at
      taken.add(at)
      break
    }
  }
  if (indexes.plate < 0)
    throw invalid(`no column is the plate; name it with --plate-column (the header has ${shownNames(header)})`)
  return indexes
}

/** The names of a header for a message: few, short, and without characters that a terminal would obey. */
function shownNames(header: readonly string[]): string {
  const names = header.slice(0, 30).map((name) => `"${shownName(name)}"`)
  return header.length > 30 ? `${names.join(', ')} and ${header.length - 30} more` : names.join(', ')
}

/** A name for a message. */
export function shownName(name: string): string {
  const clean = name.trim().replace(/[\p{Cc}\p{Cf}\ufffd]/gu, '?')
  return clean.length > 60 ? `${clean.slice(0, 59)}…` : clean
}

/** Index of each column by its number, -1 when missing. @throws what `invalid` makes */
export function byNumber(wanted: HotListColumns, invalid: Refuse): ColumnIndexes {
  const indexOf = (text: string | undefined, fallback: number): number => {
    if (text === undefined) return fallback
    if (!/^[1-9]\d{0,3}$/.test(text)) throw invalid(`without a header a column is a number from 1, not "${text}"`)
    return Number(text) - 1
  }
  return {
    plate: indexOf(wanted.plate, 0),
    reason: indexOf(wanted.reason, -1),
    region: indexOf(wanted.region, -1),
    from: indexOf(wanted.from, -1),
    until: indexOf(wanted.until, -1),
  }
}

/** Index of each fixed-width column, -1 when missing. */
export function byPosition(fixed: readonly FixedColumn[]): ColumnIndexes {
  const indexOf = (name: ColumnRole): number => fixed.findIndex((column) => column.name === name)
  return {
    plate: indexOf('plate'),
    reason: indexOf('reason'),
    region: indexOf('region'),
    from: indexOf('from'),
    until: indexOf('until'),
  }
}

/** What each column of a header was taken for. */
export function usesOf(header: readonly string[], indexes: ColumnIndexes): ColumnUse[] {
  const roles = new Map(COLUMN_ROLES.map((role) => [indexes[role], role]))
  return header.flatMap((name, index) => {
    const as = roles.get(index)
    // An export may end each line with delimiters: columns without a name or a use.
    if (name.trim() === '' && !as) return []
    return [{ name: shownName(name), ...(as && { as }) }]
  })
}
