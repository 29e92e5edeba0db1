"""Identity: compartments, users with their keys and tokens, groups, dynamic groups, policies, tags,
regions.

Not here: identity domains and federation, console passwords, MFA, network sources, and SMTP,
database and OAuth credentials.
"""
