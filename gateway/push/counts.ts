/** Counts of the door for cameras, by camera and something else: reason, field. */
export class PushCounts {
  private readonly values = new Map<string, number>()

  /** @param camera a registered one, or empty: an unknown name must not fill the memory @param label '' for none */
  add(name: PushCount, camera: string, label = '', count = 1): void {
    const key = `${name} ${camera} ${label}`
    this.values.set(key, (this.values.get(key) ?? 0) + count)
  }

  /** @returns all counts of this name */
  of(name: PushCount): { camera: string; label: string; count: number }[] {
    return [...this.values]
      .map(([key, count]) => ({ key: key.split(' '), count }))
      .filter(({ key }) => key[0] === name)
      .map(({ key, count }) => ({ camera: key[1]!, label: key[2]!, count }))
  }
}

/**
 * `requests`: of cameras that proved who they are; `stored`: messages that the stream took; `repeated`: those that it
 * had; `refused`: by reason; `leftOut`: parts of requests that could not be used, by field; `arrivalTimes`: frames
 * without a time of their own
 */
export type PushCount = 'requests' | 'stored' | 'repeated' | 'refused' | 'leftOut' | 'arrivalTimes'
