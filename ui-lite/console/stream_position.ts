/** How far this tab has read the stream of hits. It survives a reload of the tab; another tab has its own. */
export interface StreamPosition {
  epoch: string
  /** Sequence of the last hit received. */
  since: number
}

const KEY = 'platestream.place'

export function loadPosition(): StreamPosition | undefined {
  try {
    const { epoch, since } = JSON.parse(sessionStorage.getItem(KEY) ?? 'null') as StreamPosition
    return typeof epoch === 'string' && Number.isSafeInteger(since) ? { epoch, since } : undefined
  } catch {
    return undefined
  }
}

export function savePosition(position: StreamPosition): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(position))
  } catch {
    /* without storage, the position lasts until the page closes */
  }
}
