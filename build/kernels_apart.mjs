// Compiler transform: keeps the functions of the convolution kernels, and those of the matcher's lanes, from being
// inlined into their callers. V8 allocates registers a function at a time; a kernel that lies inside a large function
// is spilled in its inner loop (measured: up to twice as slow).
import binaryen from 'assemblyscript/binaryen'
import { Transform } from 'assemblyscript/transform'

const FILES = [
  'conv_direct_i16',
  'dot_planes_4x8_i16',
  'finish_pixels',
  'pack_tiles',
  'winograd_input',
  'winograd_output',
  'lanes',
]

export default class KernelsApart extends Transform {
  afterCompile(module) {
    for (const file of FILES) {
      binaryen.setPassArgument('no-inline', `*/${file}/*`)
      module.runPasses(['no-inline'])
    }
  }
}
