import { AlprError } from '../errors.js'

/** Times that may wait for their frames; ffmpeg is ahead of its output by a few. */
const MOST_WAITING = 100_000
/** Characters of a line that is not complete. */
const MOST_LINE = 4_000

/**
 * The times of frames that ffmpeg's filter `showinfo` writes to standard error, in the order of the frames, and
 * ffmpeg's last error among them.
 *
 *     [Parsed_showinfo_0 @ 0x55d0] [info] n:   3 pts:  27000 pts_time:0.3     duration: ...
 *     [mov,mp4 @ 0x55d1] [error] moov atom not found
 */
export class FrameTimes {
  #rest = ''
  #times: number[] = []
  #last = 0
  #ended = false
  #wake: () => void = () => {}
  /** ffmpeg's last error. */
  complaint: string | undefined

  push(text: string): void {
    const lines = (this.#rest + text).split(/[\r\n]+/)
    this.#rest = lines.pop()!.slice(-MOST_LINE)
    for (const line of lines) this.#take(line)
    this.#wake()
  }

  end(): void {
    this.#take(this.#rest)
    this.#ended = true
    this.#wake()
  }

  /**
   * The time of the next frame, seconds in the stream. A frame whose time ffmpeg does not know has that of the last.
   * @throws ALPR_ERR_FEED_INVALID when ffmpeg ends without it
   */
  async next(): Promise<number> {
    while (this.#times.length === 0) {
      if (this.#ended) throw new AlprError('ALPR_ERR_FEED_INVALID', { file: 'ffmpeg', reason: 'a frame has no time' })
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return this.#times.shift()!
  }

  #take(line: string): void {
    const time = /\bn: *\d+ +pts: *\S+ +pts_time: *(\S+)/.exec(line)
    if (time && line.includes('showinfo')) {
      const seconds = Number(time[1])
      if (Number.isFinite(seconds)) this.#last = seconds
      if (this.#times.length < MOST_WAITING) this.#times.push(this.#last)
      return
    }
    const error = /\[(?:error|fatal|panic)\] (.+)$/.exec(line)
    if (error) this.complaint = error[1]!.trim()
  }
}
