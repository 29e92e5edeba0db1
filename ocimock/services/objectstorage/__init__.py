"""Object Storage: buckets, objects and their versions, uploads in parts, copies."""
