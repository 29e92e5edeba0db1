"""Identity: compartments, users and groups, API keys, dynamic groups, policies, tags, regions.

Not here: identity domains and federation, console passwords, MFA, network sources, and the
credentials of other protocols (auth tokens, secret keys, SMTP, OAuth).
"""
