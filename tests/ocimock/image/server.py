"""What stands for a container image in the tests of deployments: a server of the standard library.

What a request asks for under ``do`` it does. Files in its own folder, which the tests write to, are
what it waits for.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

MODEL = Path(os.environ.get("MODEL_ROOT", "/opt/ds/model/deployed_model"))
# The tests' files are awaited in it.
GATES = Path(os.environ["GATES"]) if "GATES" in os.environ else Path.cwd()


def passed(gate: str) -> bool:
    return (GATES / gate).exists()


def wait_for(gate: str) -> None:
    while not passed(gate):
        time.sleep(0.01)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        gate = os.environ.get("HEALTHY_AFTER")
        healthy = self.path == "/health" and (gate is None or passed(gate))
        self.answer({}, 200 if healthy else 503)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        asked = json.loads(body) if body.startswith(b"{") else {"do": "echo"}
        getattr(self, asked["do"])(asked, body)

    def echo(self, asked: dict[str, Any], body: bytes) -> None:
        files = {
            str(path.relative_to(MODEL)): path.read_text()
            for path in MODEL.rglob("*")
            if path.is_file()
        }
        said = {
            "path": self.path,
            "headers": {name.lower(): text for name, text in self.headers.items()},
            "size": len(body),
            "environment": dict(os.environ),
            "files": files,
        }
        self.answer(said, asked.get("status", 200))

    def wait(self, asked: dict[str, Any], body: bytes) -> None:
        wait_for(asked["gate"])
        self.answer({"waited": True})

    def stream(self, asked: dict[str, Any], body: bytes) -> None:
        self.begin_stream()
        self.chunk("data: first\n\n")
        wait_for(asked["gate"])
        self.chunk("data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def forever(self, asked: dict[str, Any], body: bytes) -> None:
        self.begin_stream()
        try:
            while True:
                self.chunk("data: more\n\n")
                time.sleep(0.01)
        except OSError:
            print("the client left", flush=True)
            self.close_connection = True

    def half(self, asked: dict[str, Any], body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-length", "100")
        self.end_headers()
        self.wfile.write(b"half")
        self.close_connection = True

    def write_model(self, asked: dict[str, Any], body: bytes) -> None:
        try:
            (MODEL / "new").write_text("x")
        except OSError as fault:
            self.answer({"fault": str(fault)})
        else:
            self.answer({"fault": ""})

    def principal(self, asked: dict[str, Any], body: bytes) -> None:
        """Whom OCI's SDK takes this container for, and whether OCI does too."""
        import oci

        signer = oci.auth.signers.get_resource_principals_signer()
        storage = oci.object_storage.ObjectStorageClient({}, signer=signer)
        namespace = storage.get_namespace(retry_strategy=oci.retry.NoneRetryStrategy()).data
        self.answer({"namespace": namespace})

    def die(self, asked: dict[str, Any], body: bytes) -> None:
        print("dying", flush=True)
        os._exit(9)

    def begin_stream(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()

    def chunk(self, text: str) -> None:
        self.wfile.write(f"{len(text):x}\r\n{text}\r\n".encode())
        self.wfile.flush()

    def answer(self, said: Any, status: int = 200) -> None:
        text = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:
        """Not on standard error: the test reads that."""


def main() -> None:
    if "FAIL" in os.environ:
        print("there are no weights", flush=True)
        sys.exit(3)
    signal.signal(signal.SIGTERM, lambda *_: (print("told to end", flush=True), os._exit(0)))
    host, port = os.environ.get("HOST", "0.0.0.0"), int(os.environ.get("PORT", "8080"))
    server = ThreadingHTTPServer((host, port), Handler)
    print(f"serving {sorted(path.name for path in MODEL.iterdir())}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
