"""Who calls, and whether they may: principals, signatures, and the policies that are enforced."""
