"""What the runner's benchmarks share."""
