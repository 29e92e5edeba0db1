"""OCI Registry (container repositories)."""
