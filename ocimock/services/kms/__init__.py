"""Key Management: vaults, the master encryption keys in them, and real cryptography with these.

Not here: import, backup, restore and replication of keys, external key managers, HSM clusters.
"""
