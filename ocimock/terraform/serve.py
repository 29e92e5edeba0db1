"""The plugin process: Terraform's handshake, then the provider on a Unix socket until the end."""

from __future__ import annotations

import base64
import logging
import os
import sys
import tempfile
import threading
from concurrent import futures
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tf.gen import (
    grpc_controller_pb2,
    grpc_controller_pb2_grpc,
    grpc_stdio_pb2_grpc,
    tfplugin_pb2_grpc,
)

from ocimock.terraform import BANNER
from ocimock.terraform.protocol import Servicer
from ocimock.terraform.provider import Provider

#: Terraform proves with this pair that it is the one who starts a plugin.
_COOKIE: Final = "TF_PLUGIN_MAGIC_COOKIE"
_COOKIE_VALUE: Final = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2"
#: go-plugin's own version and the plugin protocol's.
_CORE_PROTOCOL: Final = 1
_PLUGIN_PROTOCOL: Final = 6
#: Terraform applies ten resources at once by default; reads and schema calls come on top.
_THREADS: Final = 32
#: How often to see whether Terraform still lives.
_LOOK_AROUND_SECONDS: Final = 1.0


def started_by_terraform() -> bool:
    return os.environ.get(_COOKIE) == _COOKIE_VALUE


def serve() -> None:
    """Serve until Terraform says stop. Standard output carries the handshake and nothing else."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="[%(levelname)s] %(message)s"
    )
    print(f"[WARN] {BANNER}", file=sys.stderr, flush=True)  # noqa: T201
    stopped = threading.Event()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=_THREADS))
    tfplugin_pb2_grpc.add_ProviderServicer_to_server(Servicer(Provider()), server)
    grpc_controller_pb2_grpc.add_GRPCControllerServicer_to_server(_Controller(stopped), server)
    grpc_stdio_pb2_grpc.add_GRPCStdioServicer_to_server(_Stdio(), server)
    with tempfile.TemporaryDirectory(prefix="tfp-") as folder:
        socket = Path(folder) / "plugin.sock"
        certificate, credentials = _tls()
        server.add_secure_port(f"unix:{socket}", credentials)
        server.start()
        _shake_hands(socket, certificate)
        _wait(stopped)
        server.stop(grace=0.2).wait()


def _wait(stopped: threading.Event) -> None:
    """Until Terraform says stop, or is no more: a killed Terraform says nothing."""
    terraform = os.getppid()
    while not stopped.wait(_LOOK_AROUND_SECONDS):
        if os.getppid() != terraform:
            return


class _Controller(grpc_controller_pb2_grpc.GRPCControllerServicer):  # type: ignore[misc]
    def __init__(self, stopped: threading.Event) -> None:
        self._stopped = stopped

    def Shutdown(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        self._stopped.set()
        return grpc_controller_pb2.Empty()


class _Stdio(grpc_stdio_pb2_grpc.GRPCStdioServicer):  # type: ignore[misc]
    def StreamStdio(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        return iter(())


def _shake_hands(socket: Path, certificate: bytes) -> None:
    encoded = base64.b64encode(certificate).decode().rstrip("=")
    parts = (_CORE_PROTOCOL, _PLUGIN_PROTOCOL, "unix", socket, "grpc", encoded)
    print("|".join(map(str, parts)), flush=True)  # noqa: T201


def _tls() -> tuple[bytes, Any]:
    """A certificate of our own for this run (DER), and the credentials to serve with.

    Terraform's client certificate is not asked for: it is on the curve P-521, which gRPC's TLS
    does not offer. The folder of the socket, which only this user can enter, keeps others out.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    credentials = grpc.ssl_server_credentials([(private, public)])
    return certificate.public_bytes(serialization.Encoding.DER), credentials
