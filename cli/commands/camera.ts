import type { Command } from 'commander'
import { type Camera, CameraRegistry } from '../../engine/mod.js'
import { AlprError } from '../../engine/runtime/mod.js'
import { printJson, printLine, printTable, tell } from '../output.js'
import { cameraId, decimal, oneOf } from '../parse.js'
import { withNats, withSystemOptions, type SystemOptions } from '../system.js'

interface AddOptions extends SystemOptions {
  name?: string
  kind: Camera['kind']
  lat?: number
  lon?: number
  heading?: number
  agency: string
  replace?: boolean
  json?: boolean
}

export function registerCamera(program: Command): void {
  const camera = program
    .command('camera')
    .description('the camera registry: frames of a camera that is not in it go to DEAD')

  withSystemOptions(camera.command('add'))
    .description('register a camera')
    .argument('<id>', '1 to 64 of a-z, 0-9 and "-"; it publishes to frames.<id>', cameraId)
    .option('--name <text>', 'name for people (default: the id)')
    .option('--kind <kind>', 'fixed, mobile or trailer', oneOf('fixed', 'mobile', 'trailer'), 'fixed' as const)
    .option('--lat <degrees>', 'WGS 84; needed for a fixed camera', decimal(-90, 90))
    .option('--lon <degrees>', 'WGS 84; needed for a fixed camera', decimal(-180, 180))
    .option('--heading <degrees>', 'where it looks, clockwise from north', decimal(0, 359.999))
    .option('--agency <text>', 'who owns it', '')
    .option('--replace', 'replace the record if there is one')
    .option('--json', 'the record as one JSON line')
    .addHelpText(
      'after',
      `
Examples:
  platestream camera add gate-1 --name "North gate" --lat 37.7749 --lon -122.4194 --heading 90
  platestream camera add car-7 --kind mobile`,
    )
    .action((id: string, { name, kind, lat, lon, heading, agency, replace, json, ...options }: AddOptions) =>
      withNats(options, 'camera add', async (connection) => {
        const registry = await CameraRegistry.open(connection)
        const record = JSON.parse(JSON.stringify({ id, name: name ?? id, kind, lat, lon, heading, agency })) as unknown
        if (replace) await registry.put(record)
        else if (!(await registry.add(record)))
          throw new AlprError('ALPR_ERR_CAMERA_INVALID', {
            camera: id,
            reason: 'it is registered already; --replace changes it',
          })
        if (json) printJson(await registry.get(id))
        else printLine(`camera ${id} is registered`)
      }),
    )

  withSystemOptions(camera.command('list'))
    .description('all cameras')
    .option('--json', 'one JSON line for each camera')
    .action((options: SystemOptions & { json?: boolean }) =>
      withNats(options, 'camera list', async (connection) => {
        const cameras = await (await CameraRegistry.open(connection)).list({
          warn: (fields, message) => tell(`${(fields as { camera?: string }).camera}: ${message}`),
        })
        if (options.json) cameras.forEach(printJson)
        else
          printTable(
            ['id', 'kind', 'position', 'heading', 'name', 'agency'],
            cameras.map((c) => [
              c.id,
              c.kind,
              c.lat === undefined ? '-' : `${c.lat},${c.lon}`,
              c.heading ?? '-',
              c.name,
              c.agency,
            ]),
          )
      }),
    )

  withSystemOptions(camera.command('show'))
    .description('one camera, as JSON')
    .argument('<id>', 'camera', cameraId)
    .option('--json', 'one JSON line')
    .action((id: string, options: SystemOptions & { json?: boolean }) =>
      withNats(options, 'camera show', async (connection) => {
        const record = await (await CameraRegistry.open(connection)).get(id)
        if (!record) throw new AlprError('ALPR_ERR_CAMERA_UNKNOWN', { camera: id })
        if (options.json) printJson(record)
        else printLine(JSON.stringify(record, null, 2))
      }),
    )

  withSystemOptions(camera.command('remove'))
    .description('take a camera out of the registry; its reads stay')
    .argument('<id>', 'camera', cameraId)
    .option('--json', 'one JSON line')
    .action((id: string, options: SystemOptions & { json?: boolean }) =>
      withNats(options, 'camera remove', async (connection) => {
        if (!(await (await CameraRegistry.open(connection)).delete(id)))
          throw new AlprError('ALPR_ERR_CAMERA_UNKNOWN', { camera: id })
        if (options.json) printJson({ removed: id })
        else printLine(`camera ${id} is removed`)
      }),
    )
}
