import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Teardown } from './nats.js'

/** The sources of the tests, beside which the program of the server is. */
const SCRIPT = fileURLToPath(new URL('../../../test/servers/rtsp_server.py', import.meta.url))
/** Debian's own: another Python does not see its packages. */
const PYTHON = '/usr/bin/python3'

/** Why there is no RTSP server here; undefined when there is one. */
export function rtspMissing(): string | undefined {
  const code = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
  const found = spawnSync(PYTHON, ['-c', code], { stdio: 'ignore' }).status === 0
  return found ? undefined : 'no RTSP server: apt-get install gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-good'
}

export interface RtspServer {
  port: number
  stop(): Promise<void>
}

/** Serves video files by RTSP on loopback. @param mounts file by path */
export async function startRtspServer(
  t: Teardown,
  mounts: Record<string, string>,
  { user, password, digest }: { user?: string; password?: string; digest?: boolean } = {},
): Promise<RtspServer> {
  const login = user === undefined ? [] : ['--user', user, '--password', password ?? '']
  const paths = Object.entries(mounts).map(([path, file]) => `${path}=${file}`)
  const child = spawn(PYTHON, [SCRIPT, ...login, ...(digest ? ['--digest'] : []), ...paths], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const stop = async () => {
    child.kill('SIGKILL')
    await exited
  }
  t.teardown(stop)
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve)
    void exited.then(() => reject(new Error('the RTSP server ended')))
  })
  return { port: (JSON.parse(line) as { port: number }).port, stop }
}

/** Makes short videos of moving shapes. @returns their files: `h264`, `bframes`, `h265`, `jpeg` */
export function makeVideos(t: Teardown, names: readonly ('h264' | 'bframes' | 'h265' | 'jpeg')[]) {
  const folder = mkdtempSync(join(tmpdir(), 'platestream-videos-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const options = {
    h264: ['a.mp4', '-c:v', 'libx264', '-bf', '0', '-g', '10'],
    bframes: ['b.mp4', '-c:v', 'libx264', '-bf', '2', '-g', '10'],
    h265: ['c.h265.mp4', '-c:v', 'libx265', '-x265-params', 'log-level=error', '-g', '10'],
    jpeg: ['d.avi', '-c:v', 'mjpeg', '-q:v', '4', '-pix_fmt', 'yuvj420p'],
  }
  const files: Record<string, string> = {}
  for (const name of names) {
    const [file, ...codec] = options[name]
    files[name] = join(folder, file!)
    const source = ['-f', 'lavfi', '-i', 'testsrc2=size=320x240:rate=10:duration=12']
    const format = name === 'jpeg' ? [] : ['-preset', 'ultrafast', '-pix_fmt', 'yuv420p']
    execFileSync('ffmpeg', ['-v', 'error', '-y', ...source, ...codec, ...format, files[name]!])
  }
  return files as Record<(typeof names)[number], string>
}
