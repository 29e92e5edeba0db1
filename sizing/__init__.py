"""How big, how long, how dear: what a training or a deployment takes of which machines.

Pure arithmetic on two data files and a model's ``config.json``; it asks nobody and imports neither
``infra`` nor ``jobs``, which both use it: what is provisioned, planned and checked are the same
numbers. Sizes are in bytes unless a name says otherwise, a GB is 10**9 bytes and a GiB 2**30.
"""
