/** The door of the traffic renderer: a YAML plan becomes a feed (MCAP) with its ground truth. */
export { parsePlan } from './plan.js'
export { framesOf, renderFeed } from './render_feed.js'
