"""The plugin process: its handshake, and its end."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import time
from pathlib import Path

from cryptography import x509

from ocimock.terraform.mirror import install, plugin_path

_COOKIE = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2"
#: Stands in for a Terraform that starts the plugin, hears its handshake and dies.
_SHORT_LIVED = """
import subprocess, sys
plugin = subprocess.Popen([sys.argv[1]], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
sys.stdout.write(f"{plugin.pid} {plugin.stdout.readline().decode()}")
"""


def _alive(pid: int) -> bool:
    try:
        # A process that ended without a parent to hear of it stays behind as a zombie.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_the_plugin_shakes_hands_and_does_not_outlive_terraform(tmp_path: Path) -> None:
    install(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", _SHORT_LIVED, plugin_path(tmp_path / "mirror")],
        env={**os.environ, "TF_PLUGIN_MAGIC_COOKIE": _COOKIE, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    pid, _, handshake = done.stdout.strip().partition(" ")
    core, protocol, network, socket, kind, certificate = handshake.split("|")
    assert (core, protocol, network, kind) == ("1", "6", "unix", "grpc")
    # Base64 without its padding, as go-plugin wants it.
    encoded = certificate + "=" * (-len(certificate) % 4)
    assert x509.load_der_x509_certificate(base64.b64decode(encoded)).subject
    assert socket.startswith(str(tmp_path))

    # A plugin that stays would stay for ever; one on a busy machine takes its time.
    deadline = time.monotonic() + 180
    while _alive(int(pid)):
        assert time.monotonic() < deadline, "the plugin outlived Terraform"
        time.sleep(0.05)
    assert not Path(socket).parent.exists()
