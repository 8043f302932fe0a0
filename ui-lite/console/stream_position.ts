/** Where this tab stands in the stream of hits. Kept for a reload of the tab; another tab has its own. */
export interface Place {
  epoch: string
  since: number
}

const KEY = 'platestream.place'

export function loadPlace(): Place | undefined {
  try {
    const { epoch, since } = JSON.parse(sessionStorage.getItem(KEY) ?? 'null') as Place
    return typeof epoch === 'string' && Number.isSafeInteger(since) ? { epoch, since } : undefined
  } catch {
    return undefined
  }
}

export function savePlace(place: Place): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(place))
  } catch {
    /* a browser without storage resumes within the page only */
  }
}
