"""``python -m ocimock``."""

from .cli import main

main()
