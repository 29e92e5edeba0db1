"""A stand-in for the Hugging Face hub on loopback: it serves a folder of models and data sets.

    python -m demo.hub --folder HUB --port 0

``HUB/models/ORG/NAME/`` and ``HUB/datasets/ORG/NAME/`` hold a repository's files each. It answers
what huggingface_hub asks in order to list and to download, in the hub's words, gated models
included; nothing can be changed through it. A repository has one commit, made of its content when
it is first asked for, under the name ``main``.
"""

from .repositories import Repositories
from .server import Access, Hub, running_hub

__all__ = ["Access", "Hub", "Repositories", "running_hub"]
