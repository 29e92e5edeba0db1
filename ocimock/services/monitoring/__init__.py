"""Monitoring: metrics that clients post, queries over them, and alarms that fire by these.

Not here: metrics of OCI's own services, notifications, joins and arithmetic of queries, and
suppressions and states by dimension.
"""
