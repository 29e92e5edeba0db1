"""Networking: VCNs and what stands in them, gateways of all kinds but remote peering, and
reserved public addresses.

Not here: compute, block volumes, load balancers, VNICs (but for the private IPs that they take),
VLANs, IPv6, IPSec, flow logs' capture filters, and route tables of DRGs. Nothing carries traffic.
"""
