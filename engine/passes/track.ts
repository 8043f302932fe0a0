import type { OpenPass } from './pass.js'
import type { Gaps } from './pace.js'
import type { Capture } from '../model/capture.js'

/** The open passes of one camera along one line of event time. */
export class Track {
  /**
   * @param watermark event time of its newest capture, ms
   * @param at event time of the camera's newest capture when this track last advanced, ms
   */
  constructor(
    public watermark = -Infinity,
    private passes: OpenPass[] = [],
    public at = watermark,
  ) {}

  get open(): readonly OpenPass[] {
    return this.passes
  }

  /** Advances event time. @param newest event time of the camera's newest capture, ms */
  advance(at: number, newest: number): void {
    if (at <= this.watermark) return
    this.watermark = at
    this.at = newest
  }

  /** Closes the passes whose vehicle is gone. @param capture the last one of this track */
  closeOver(capture: Capture, gaps: Gaps): OpenPass[] {
    const isOver = (pass: OpenPass) => pass.isOver(this.watermark, capture, gaps)
    const closed = this.passes.filter(isOver)
    if (closed.length > 0) this.passes = this.passes.filter((pass) => !closed.includes(pass))
    return closed
  }

  add(pass: OpenPass): void {
    this.passes.push(pass)
  }

  /** @returns whether the pass was on this track */
  remove(pass: OpenPass): boolean {
    const index = this.passes.indexOf(pass)
    if (index >= 0) this.passes.splice(index, 1)
    return index >= 0
  }

  /** Closes every pass. */
  closeAll(): OpenPass[] {
    return this.passes.splice(0)
  }
}
