// Compiler transform with two duties.
//
// 1. It keeps the kernels of the convolutions and of the matcher's bit vectors from being inlined into their callers.
//    V8 allocates registers one function at a time; a kernel inlined into a large function spills in its inner loop
//    (measured: up to twice as slow).
// 2. It takes the folder out of internal names (`wasm/assembly/recognizer/nets/net/layerAt` becomes
// `wasm/assembly/net/layerAt`). Binaryen orders functions of equal use by name, so with the folder in the name a move
// of a source file would change the module's bytes, and with them the module id that every read carries. File names are
// unique within a module.
import binaryen from 'assemblyscript/binaryen'
import { Transform } from 'assemblyscript/transform'

const KERNELS = [
  'conv_direct_i16',
  'dot_planes_4x8_i16',
  'finish_pixels',
  'pack_tiles',
  'winograd_input',
  'winograd_output',
  'lanes',
]

/** Files renamed since the module was first released, with the name that still decides the order of their functions. */
const FIRST_NAMES = { crop_ensemble: 'looks' }

export default class KernelsApart extends Transform {
  afterInitialize(program) {
    for (const file of program.filesByName.values()) file.internalName = withoutFolder(file.source.internalPath, file)
    for (const element of program.elementsByDeclaration.values())
      element.internalName = withoutFolder(element.declaration.range.source.internalPath, element)
  }

  afterCompile(module) {
    for (const file of KERNELS) {
      binaryen.setPassArgument('no-inline', `*/${file}/*`)
      module.runPasses(['no-inline'])
    }
  }
}

function withoutFolder(path, { internalName }) {
  if (!path.startsWith('wasm/assembly/') || !internalName.startsWith(path)) return internalName
  const file = path.split('/').at(-1)
  return `wasm/assembly/${FIRST_NAMES[file] ?? file}${internalName.slice(path.length)}`
}
