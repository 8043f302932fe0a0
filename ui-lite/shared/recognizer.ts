/** The pages' only door to the recognizer's results. Recognition itself runs in recognize/recognize_worker.ts. */
export { CHARACTERS, type Detection, type Quad } from '../../wasm/browser.js'
