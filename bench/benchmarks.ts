import type { Benchmark } from './benchmark.js'

/** A benchmark by name: one line about it, and its door, which loads only when it runs or prints its help. */
export interface Entry {
  summary: string
  load(): Promise<{ benchmark: Benchmark }>
}

export const BENCHMARKS: Readonly<Record<string, Entry>> = {
  recognize: {
    summary: 'milliseconds per frame by stage, and as a multiple of JPEG decoding; one thread',
    load: () => import('./recognize/mod.js'),
  },
  accuracy: {
    summary: 'plates read exactly on photos that no net was trained on, by set',
    load: () => import('./accuracy/mod.js'),
  },
  stream: {
    summary: 'frames on NATS to stored reads: rate, delay from capture to hit, memory',
    load: () => import('./stream/mod.js'),
  },
  share: {
    summary: 'what a camera whose frames cost many times as much does to the hits of the others',
    load: () => import('./share/mod.js'),
  },
  soak: {
    summary: 'a feed replayed at full speed for hours: memory, open files and the ledger',
    load: () => import('./soak/mod.js'),
  },
  recovery: {
    summary: 'kill -9 of each part at full load: seconds until the full rate returns',
    load: () => import('./recovery/mod.js'),
  },
  match: {
    summary: 'patterns over ten million plates, and reads against a hot list of a million',
    load: () => import('./match/mod.js'),
  },
  lists: {
    summary: 'imports of hot lists of one and five million plates: time, time to in force, pauses of the engine',
    load: () => import('./lists/mod.js'),
  },
  canvass: {
    summary: 'questions about a year of reads over HTTP, beside hand-written SQL',
    load: () => import('./canvass/mod.js'),
  },
  fanout: {
    summary: 'hits to many consoles on WebSockets, with one that stops reading',
    load: () => import('./fanout/mod.js'),
  },
  detections: {
    summary: 'JSON from cameras that read plates themselves to stored reads, against a million list entries',
    load: () => import('./detections/mod.js'),
  },
  cameras: {
    summary: 'a hundred thousand known cameras: memory, checkpoints, and take-over by another engine',
    load: () => import('./cameras/mod.js'),
  },
  kernels: {
    summary: 'GMAC/s of every layer: this module, onnxruntime-web and onnxruntime-node; one thread',
    load: () => import('./kernels/mod.js'),
  },
  confusions: {
    summary: 'fits the confusion model to what the recognizer makes of plates it was not trained on',
    load: () => import('./confusions/mod.js'),
  },
  compare: {
    summary: 'whether the second of two results, or folders of results, is better, with the noise',
    load: () => import('./compare/mod.js'),
  },
}
