"""What stands in the tenancy: CDKTF constructs, the tenancy file, the emitted definitions."""
