"""OCI Registry: container repositories, with the images that tests have pushed.

Not here: deleting and signing images, and generic repositories with their artifacts.
"""
