"""Object Storage: buckets, objects and their versions, uploads in parts, copies, pre-authenticated
requests, by the native API; and of Oracle's own bucket the index of service conda environments.

Not here: lifecycle and replication policies, retention rules, restoring from the archive tier,
re-encryption, private endpoints, and the APIs that are compatible with S3 and Swift.
"""
