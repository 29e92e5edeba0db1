"""Logging: log groups and logs, ingestion, search by most of the query language, saved searches.

Not here: unified agent configurations, and log lines of services other than Data Science.
"""
