"""Networking: VCNs and what stands in them, gateways of all kinds but remote peering, and
reserved public addresses.

Not here: compute, block volumes, load balancers, VNICs and private IPs, VLANs, IPv6, IPSec, flow
logs' capture filters, and route tables of DRGs. Nothing carries traffic.
"""
