"""Resource Search: which resource is this OCID?"""
