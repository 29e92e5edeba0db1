"""Service limits."""
