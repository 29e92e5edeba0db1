"""Where the demo prints."""

from rich.console import Console

console = Console()
