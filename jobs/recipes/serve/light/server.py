"""The process: listen at once, load meanwhile, finish what was begun when told to end."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import uvicorn

from ..settings import Settings
from .app import Desk
from .model import LightModel

# Seconds for answers that are under way when SIGTERM comes; whoever stops a container waits 30.
_DRAIN_SECONDS = 25
# The options of vLLM's command line that mean something here.
_KNOWN = ("--served-model-name", "--max-model-len", "--dtype")


def serve(settings: Settings, folder: Path) -> int:
    """Serve until a signal; 1 where the model can't be loaded."""
    ignored = [word for word in settings.params if word.startswith("-") and not _is_known(word)]
    if ignored:
        print(f"serve: only vLLM heeds {', '.join(ignored)}; ignored here", flush=True)
    desk = Desk(settings.served_name)
    server = uvicorn.Server(
        uvicorn.Config(
            desk.application(),
            host=settings.host,
            port=settings.port,
            log_level="warning",
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=_DRAIN_SECONDS,
        )
    )
    loading = threading.Thread(target=_load, args=(desk, settings, folder, server), daemon=True)
    loading.start()
    server.run()
    return 1 if desk.model is None else 0


def _load(desk: Desk, settings: Settings, folder: Path, server: uvicorn.Server) -> None:
    started = time.monotonic()
    longest = settings.param("--max-model-len")
    try:
        desk.model = LightModel.load(
            folder,
            dtype=settings.param("--dtype"),
            longest=int(longest) if longest else None,
        )
    except Exception as error:  # noqa: BLE001 - a file of weights can be wrong in many ways
        print(f"serve: {folder} can't be loaded: {error}", file=sys.stderr, flush=True)
        server.should_exit = True
        return
    print(f"serve: ready after {time.monotonic() - started:.1f} s", flush=True)


def _is_known(word: str) -> bool:
    return word.partition("=")[0] in _KNOWN
