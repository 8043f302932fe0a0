import type { LiveRead } from '../../engine/mod.js'
import { aborted, type NatsTask } from './nats_link.js'
import { textFrame } from './text_frame.js'

export interface LiveReadListener {
  /** Whether any console wants reads. If none does, as on most nights, messages are not even parsed. */
  wanted(): boolean
  onRead(frame: Buffer, read: LiveRead): void
}

/** Follows `reads.<camera>`. These messages are for display only: a read lost here is still in the store. */
export class LiveReads {
  constructor(private readonly listener: LiveReadListener) {}

  readonly task: NatsTask = async (nats, signal) => {
    const subscription = nats.subscribe('reads.*', {
      callback: (error, message) => {
        if (error || !this.listener.wanted()) return
        try {
          const text = message.string().trim()
          const read = JSON.parse(text) as LiveRead
          if (typeof read?.readId === 'string' && typeof read.camera === 'string')
            this.listener.onRead(textFrame(`{"type":"read",${text.slice(1)}`), read)
        } catch {
          /* not a read */
        }
      },
    })
    await aborted(signal)
    subscription.unsubscribe()
  }
}
