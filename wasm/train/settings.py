"""Folders: photos come from PLATESTREAM_DATA, everything generated goes to PLATESTREAM_CACHE."""
import os
import pathlib


def cache(*parts) -> pathlib.Path:
    """A path under the cache folder (created when missing); large artefacts are never in the repository."""
    root = pathlib.Path(os.environ.get("PLATESTREAM_CACHE", "~/.cache/platestream-train")).expanduser()
    path = root.joinpath(*parts)
    (path if not path.suffix else path.parent).mkdir(parents=True, exist_ok=True)
    return path


def photos():
    """Folder of real photos with an index.jsonl, or None: training then uses rendered plates only."""
    folder = os.environ.get("PLATESTREAM_DATA")
    return pathlib.Path(folder) if folder and pathlib.Path(folder, "index.jsonl").exists() else None


def has_bf16() -> bool:
    """Whether the processor multiplies in bfloat16: training is then 2.5 times as fast;
    averaged weights stay float32."""
    try:
        return "avx512_bf16" in pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
