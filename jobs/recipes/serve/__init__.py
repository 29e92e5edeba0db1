"""The entry point of the serving container: ``python -m recipes.serve``.

The same in the image that is built from the Dockerfile here, and in a local rehearsal. It finds
the model that OCI mounted, looks whether it is whole, and starts the server: vLLM where that is
installed, else a small one on transformers. Either answers ``GET /health``, ``POST /predict`` and
OpenAI's endpoints.

What it reads of its environment is in ``settings``.
"""
