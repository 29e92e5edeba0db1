"""The demo: the whole way on one machine, driven through the same command lines a user types."""
