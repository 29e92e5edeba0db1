"""OCI Registry: container repositories, empty for ever as the mock has no registry to push to.

Not here: images, signatures, and generic repositories with their artifacts.
"""
