"""Networking: VCNs and what stands in them."""
