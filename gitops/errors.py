"""What can go wrong in a pipeline."""

from __future__ import annotations


class GitopsError(Exception):
    """The base: *what* happened, and *advice* on what to do next. Shown without a traceback."""

    def __init__(self, what: str, advice: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.advice = advice


class SynthesisError(GitopsError):
    """The tenancy file or the working copy is wrong; main.py says where."""


class TerraformError(GitopsError):
    """Terraform failed. *said* is its own message, without the box that it draws around it."""

    def __init__(self, what: str, said: str, advice: str = "") -> None:
        super().__init__(f"{what}\n{said}", advice)
        self.said = said


class RefusedError(GitopsError):
    """What was asked for would do more than anybody has looked at, or lose something."""


class SignInError(GitopsError):
    """There are no credentials to sign in with, or they would take the place of others."""


class CommentError(GitopsError):
    """The comment could not be put onto the pull request."""
