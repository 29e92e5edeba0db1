"""What runs in the tenancy: reads the emitted definitions and submits them through oracle-ads."""
