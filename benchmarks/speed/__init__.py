"""What ``benchmarks/ocimock_speed.py`` is made of: workers, servers, sections, tables."""
