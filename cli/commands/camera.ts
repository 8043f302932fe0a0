import type { Command } from 'commander'
import type { Camera } from '../../engine/mod.js'
import { AlprError } from '../../engine/runtime/mod.js'
import { printJson, printLine, printTable, printNote } from '../output.js'
import { forgetPushSecret, pushOf, showPushSecret, withPushOptions, type PushOptions } from '../push_options.js'
import { cameraId, decimal, oneOf } from '../parse.js'
import { liveRecord, type LiveOptions, keepSecret, takeAddress, withLiveOptions } from '../live_camera.js'
import { loadEngine, withNats, withSystemOptions, type SystemOptions } from '../system.js'

interface AddOptions extends SystemOptions, PushOptions, LiveOptions {
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
    .description('manage the camera registry; frames of unregistered cameras become dead letters')

  withLiveOptions(withPushOptions(withSystemOptions(camera.command('add'))))
    .description('register a camera; with an address, its pictures are pulled')
    .argument('<id>', '1 to 64 characters of a-z, 0-9 and "-"; the camera publishes to frames.<id>', cameraId)
    .option('--name <text>', 'display name (default: the id)')
    .option('--kind <kind>', 'fixed, mobile or trailer', oneOf('fixed', 'mobile', 'trailer'), 'fixed' as const)
    .option('--lat <degrees>', 'WGS 84; required for a fixed camera', decimal(-90, 90))
    .option('--lon <degrees>', 'WGS 84; required for a fixed camera', decimal(-180, 180))
    .option('--heading <degrees>', 'viewing direction, clockwise from north', decimal(0, 359.999))
    .option('--agency <text>', 'agency that owns it', '')
    .option('--replace', 'replace an existing record')
    .option('--json', 'print the record as one JSON line')
    .addHelpText(
      'after',
      `
Examples:
  platestream camera add gate-1 --name "North gate" --lat 37.7749 --lon -122.4194 --heading 90
  platestream camera add car-7 --kind mobile
  platestream camera add gate-2 --push frames --address 10.1.0.7 --lat 37.77 --lon -122.42
  platestream camera add gate-3 --lat 37.77 --lon -122.42 --url rtsp://10.0.0.20/stream1 --user viewer

A camera with --user asks for its password, on a terminal without showing it, else as the first line of standard
input. User and password are in the secrets file of the data folder only, never in the registry, and in no message.`,
    )
    .action(async (id: string, { name, kind, lat, lon, heading, agency, replace, json, ...options }: AddOptions) => {
      const address = await takeAddress(options)
      await withNats(options, 'camera add', async (connection, settings) => {
        const { CameraRegistry, parseCamera } = await loadEngine()
        const registry = await CameraRegistry.open(connection)
        const live = liveRecord(address, options)
        const push = pushOf(options)
        const fields = { id, name: name ?? id, kind, lat, lon, heading, agency, push, live }
        const record = parseCamera(JSON.parse(JSON.stringify(fields)))
        const before = await registry.get(id).catch(() => undefined)
        if (!replace && before) throw alreadyRegistered(id)
        // First the secret: an ingest process connects as soon as it sees the record. The same address without a
        // secret leaves the secret as it is.
        if (address?.secret || before?.live?.url !== live?.url) await keepSecret(settings, id, address?.secret)
        if (replace) await registry.put(record)
        else if (!(await registry.add(record))) throw alreadyRegistered(id)
        if (json) printJson(await registry.get(id))
        else printLine(`camera ${id} is registered${live ? '; its pictures are pulled by "platestream ingest"' : ''}`)
        if (push)
          await showPushSecret(id, push.credentials, settings, {
            renew: options.newSecret,
            ...(json && { say: printNote }),
          })
      })
    })

  withSystemOptions(camera.command('list'))
    .description('list all cameras')
    .option('--json', 'print one JSON line per camera')
    .action((options: SystemOptions & { json?: boolean }) =>
      withNats(options, 'camera list', async (connection) => {
        const { CameraRegistry } = await loadEngine()
        const cameras = await (await CameraRegistry.open(connection)).list({
          warn: (fields, message) => printNote(`${(fields as { camera?: string }).camera}: ${message}`),
        })
        if (options.json) cameras.forEach(printJson)
        else
          printTable(
            ['id', 'kind', 'position', 'heading', 'name', 'agency', 'pulled from'],
            cameras.map((c) => [
              c.id,
              c.kind,
              c.lat === undefined ? '-' : `${c.lat},${c.lon}`,
              c.heading ?? '-',
              c.name,
              c.agency,
              c.live?.url ?? '-',
            ]),
          )
      }),
    )

  withSystemOptions(camera.command('show'))
    .description('print one camera as JSON')
    .argument('<id>', 'camera', cameraId)
    .option('--json', 'print one JSON line')
    .action((id: string, options: SystemOptions & { json?: boolean }) =>
      withNats(options, 'camera show', async (connection) => {
        const { CameraRegistry } = await loadEngine()
        const record = await (await CameraRegistry.open(connection)).get(id)
        if (!record) throw new AlprError('ALPR_ERR_CAMERA_UNKNOWN', { camera: id })
        if (options.json) printJson(record)
        else printLine(JSON.stringify(record, null, 2))
      }),
    )

  withSystemOptions(camera.command('remove'))
    .description('remove a camera from the registry; its reads remain')
    .argument('<id>', 'camera', cameraId)
    .option('--json', 'print one JSON line')
    .action((id: string, options: SystemOptions & { json?: boolean }) =>
      withNats(options, 'camera remove', async (connection, settings) => {
        const { CameraRegistry } = await loadEngine()
        if (!(await (await CameraRegistry.open(connection)).delete(id)))
          throw new AlprError('ALPR_ERR_CAMERA_UNKNOWN', { camera: id })
        await forgetPushSecret(id, settings)
        await keepSecret(settings, id, undefined)
        if (options.json) printJson({ removed: id })
        else printLine(`camera ${id} is removed; what it sends from ten seconds on goes to DEAD`)
      }),
    )
}

const alreadyRegistered = (camera: string): AlprError =>
  new AlprError('ALPR_ERR_CAMERA_INVALID', {
    camera,
    reason: 'it is already registered; --replace replaces its record',
  })
