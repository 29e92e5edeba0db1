"""OCI as it looks on the wire: requests, routes, models and errors."""
