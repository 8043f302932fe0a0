"""An RTSP server for tests and benchmarks, of GStreamer. Plays video files without an end of its own.

usage: rtsp_server.py [--user NAME --password WORD] [--digest] PATH=FILE ...

Each FILE is an mp4 with H.264 or H.265, or an avi with JPEGs, and is served at rtsp://127.0.0.1:PORT/PATH to any number
of clients, each from its beginning. Prints the port as one line of JSON. Ends with its standard input.
"""

import json
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

PAYLOADERS = {
    "h264": "qtdemux ! h264parse ! rtph264pay config-interval=0 name=pay0 pt=96",
    "h265": "qtdemux ! h265parse ! rtph265pay config-interval=0 name=pay0 pt=96",
    "jpeg": "avidemux ! jpegparse ! rtpjpegpay name=pay0 pt=26",
}


def main():
    args = sys.argv[1:]

    def option(name):
        if name not in args:
            return None
        at = args.index(name)
        value = args[at + 1]
        del args[at : at + 2]
        return value

    user, password = option("--user"), option("--password")
    digest = "--digest" in args
    if digest:
        args.remove("--digest")

    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    for mount in args:
        path, file = mount.split("=", 1)
        kind = "jpeg" if file.endswith(".avi") else "h265" if ".h265." in file else "h264"
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(f'( filesrc location="{file}" ! {PAYLOADERS[kind]} )')
        if user is not None:
            permissions = GstRtspServer.RTSPPermissions()
            permissions.add_permission_for_role("viewer", "media.factory.access", True)
            permissions.add_permission_for_role("viewer", "media.factory.construct", True)
            factory.set_permissions(permissions)
        server.get_mount_points().add_factory(f"/{path}", factory)
    if user is not None:
        auth = GstRtspServer.RTSPAuth()
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "viewer")
        if digest:
            auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
            auth.add_digest(user, password, token)
        else:
            auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
        server.set_auth(auth)
    loop = GLib.MainLoop()
    server.attach(None)

    def end_with_input():
        sys.stdin.read()
        loop.quit()

    threading.Thread(target=end_with_input, daemon=True).start()
    print(json.dumps({"port": server.get_bound_port()}), flush=True)
    loop.run()


main()
