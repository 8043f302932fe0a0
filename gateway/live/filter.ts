import type { Hit, Scope } from '../../engine/mod.js'
import type { SubscribeMessage } from './protocol.js'

/** What one console wants and may see. An absent field matches everything, an empty list nothing. */
export class Filter {
  readonly #lists: Set<string> | undefined
  readonly #cameras: Set<string> | undefined
  readonly #priority: Set<string> | undefined
  readonly #area: SubscribeMessage['area']

  constructor(
    { lists, cameras, priority, area }: Pick<SubscribeMessage, 'lists' | 'cameras' | 'priority' | 'area'>,
    scope: Scope,
  ) {
    this.#lists = within(lists, scope.lists)
    this.#cameras = within(cameras, scope.cameras)
    this.#priority = priority && new Set<string>(priority)
    this.#area = area
  }

  matchesHit(hit: Pick<Hit, 'list' | 'camera' | 'priority' | 'lat' | 'lon'>): boolean {
    if (this.#lists && !this.#lists.has(hit.list)) return false
    if (this.#priority && !this.#priority.has(hit.priority)) return false
    return this.matchesLocation(hit)
  }

  /** Camera and area: the only part of the filter that applies to reads. */
  matchesLocation({ camera, lat, lon }: { camera: string; lat: number; lon: number }): boolean {
    if (this.#cameras && !this.#cameras.has(camera)) return false
    return !this.#area || isInside(this.#area, lat, lon)
  }
}

function isInside([west, south, east, north]: [number, number, number, number], lat: number, lon: number): boolean {
  if (lat < south || lat > north) return false
  return west <= east ? lon >= west && lon <= east : lon >= west || lon <= east
}

/** The ids that are wanted and allowed; undefined for all. */
function within(wanted: readonly string[] | undefined, allowed: 'all' | readonly string[]): Set<string> | undefined {
  if (allowed === 'all') return wanted && new Set(wanted)
  return new Set(wanted ? wanted.filter((id) => allowed.includes(id)) : allowed)
}
