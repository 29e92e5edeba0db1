"""What can go wrong in the stand-in. Each becomes a diagnostic; none carries a secret."""


class StandInError(Exception):
    """Base: `summary` is the diagnostic's headline, the message its detail.

    `attribute` names the attribute at fault as Terraform spells it, if one is known.
    """

    summary = f"{__package__}: error"

    def __init__(self, message: str, attribute: str | None = None) -> None:
        super().__init__(message)
        self.attribute = attribute


class EndpointError(StandInError):
    """An endpoint is missing, malformed or not on loopback."""

    summary = "The stand-in for oracle/oci refuses this endpoint"


class CredentialsError(StandInError):
    """The provider's configuration lacks a credential, or asks for one we cannot use."""

    summary = "The stand-in for oracle/oci has no usable credentials"


class UnsupportedError(StandInError):
    """The real provider can do this; the stand-in cannot."""

    summary = "The stand-in for oracle/oci does not do this"


class ConversionError(StandInError):
    """A value does not fit the SDK's model."""

    summary = "A value does not fit the OCI model"


class ImportIdError(StandInError):
    """The id given to `terraform import` does not have the resource's format."""

    summary = "This import id does not fit the resource"


class ServiceFailure(StandInError):  # noqa: N818 - a failure that the service reported
    """The service answered a call with an error."""

    summary = "OCI service error"


class WaitError(StandInError):
    """A resource or work request failed, or did not reach the wanted state in time."""

    summary = "The resource did not reach the wanted state"
