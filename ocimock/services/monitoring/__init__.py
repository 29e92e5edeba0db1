"""Monitoring: metrics that jobs post, and queries over them."""
