"""Identity: compartments, dynamic groups, policies, regions."""
