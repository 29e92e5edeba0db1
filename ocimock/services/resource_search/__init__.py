"""Resource Search: resources of all services by words or by the structured query language.

Not here: highlights, and the fields that OCI adds to each type's results.
"""
