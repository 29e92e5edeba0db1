"""Typed OCI resources over CDKTF, generated from the provider's schema.

``schema.json`` holds the facts, ``generate.py`` writes ``generated/``, ``base.py`` checks every
argument against the schema when a resource is constructed.
"""

from infra.oci.errors import ResourceArgumentError

__all__ = ["ResourceArgumentError"]
