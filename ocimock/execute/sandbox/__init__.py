"""What runs outside ocimock's own process: the first process of a node, and of a network.

Run by ``python -I -S``, so that nothing of the host's environment or packages comes along: the
standard library alone, and nothing of ocimock outside this folder.
"""
