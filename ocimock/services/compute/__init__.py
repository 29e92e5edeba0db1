"""Compute, as far as it tells what hosts a region has.

Not here: instances and all that belongs to them, and capacity reservations.
"""
