/** Why a frame has no recognition that was taken back before a worker began with it. */
export class Withdrawn extends Error {}
