"""``python -m recipes.serve``: check the model, then become the server."""

from __future__ import annotations

import os
import sys

from . import vllm_command
from .model_folder import ModelError, check
from .settings import Backend, Settings, SettingsError


def main() -> int:
    """Serve until a signal ends it; 2 where the settings or the model are wrong."""
    try:
        settings = Settings.read(os.environ)
        model = check(settings.model)
    except (SettingsError, ModelError) as error:
        print(f"serve: {error}", file=sys.stderr, flush=True)
        return 2
    print(
        f"serve: {model} as '{settings.served_name}' on port {settings.port}, "
        f"by {settings.backend.value}; /predict leads to {settings.predict_endpoint}",
        flush=True,
    )
    if settings.backend is Backend.VLLM:
        command = vllm_command.words(settings, model)
        print(f"serve: {vllm_command.shown(command)}", flush=True)
        os.execvpe(command[0], command, vllm_command.environment(os.environ))
    from .light.server import serve

    return serve(settings, model)


if __name__ == "__main__":
    sys.exit(main())
