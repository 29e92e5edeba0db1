"""Secrets with their versions, and the bundles that hand their contents out.

Not here: replication, and rotation by functions or in target systems.
"""
