"""The mock on a port: plain HTTP, and an HTTPS proxy face for clients that insist on it."""
