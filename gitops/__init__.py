"""What a pipeline does with the stacks: plan them for a review, apply them, look for drift.

GitHub Actions and OCI DevOps call the same commands, and a person can: ``python -m gitops plan``.
"""
