"""Service limits: what a tenancy may hold of what the mock has, and how much of it is used.

Not here: quotas, and limits of services that the mock does not have.
"""
