"""Servers from npm: installed once into a cache of the user's, started by `node`."""

import fcntl
import os
import subprocess
from hashlib import sha256
from pathlib import Path

from tests.harness.process import ROOT, Process
from tests.harness.required import missing, required
from tests.harness.site import Site

_START = 240.0  # s; an OPC UA server reads its nodesets and makes keys first: 3 s alone, 40 s on a loaded machine
PEERS = ROOT / "tests" / "integration" / "peers"


def peer(site: Site, script: str, *arguments: object) -> Process:
    """Run a server of tests/integration/peers; without npm, or npm's registry, the test is skipped."""
    modules = installed() / "node_modules"
    process = Process(
        (required("node"), PEERS / script, *arguments), site.root / f"{script}.log", {"NODE_PATH": str(modules)}
    )
    site.keep(process)
    process.said("ready", within=_START)
    return process


def installed() -> Path:
    """Return the folder in which the packages of peers/package.json are installed."""
    npm, wanted = required("npm"), (PEERS / "package.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    folder = cache / "backflush-peers" / sha256(wanted).hexdigest()[:12]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test processes want it at once
        if not (folder / "complete").exists():
            (folder / "package.json").write_bytes(wanted)
            _install(npm, folder)
    return folder


def _install(npm: str, folder: Path) -> None:
    command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=300)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        missing(f"npm could not install the peers: {error}")
    (folder / "complete").touch()
