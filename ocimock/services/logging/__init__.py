"""Logging: log groups and logs, ingestion, and the search that ADS reads job logs by."""
