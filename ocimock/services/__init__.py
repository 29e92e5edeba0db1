"""OCI's services, a folder each: ``operations`` says what it answers."""
