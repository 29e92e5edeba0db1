"""Secrets, and the bundles that hand their contents out."""
