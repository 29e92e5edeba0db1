"""Service limits: what a tenancy may hold of what the mock has, how much of it is used, and what
quotas leave a compartment of it.

Not here: locks on quotas, and limits of services that the mock does not have.
"""
