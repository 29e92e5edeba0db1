"""OCI's API errors, one class each: status and code are the meaning."""

from __future__ import annotations

from .message import Response


class ServiceError(Exception):
    """An error that the client gets as OCI's JSON ``{"code", "message"}``."""

    status = 500
    code = "InternalServerError"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def response(self) -> Response:
        return Response.of_json({"code": self.code, "message": self.message}, self.status)


class InvalidParameter(ServiceError, ValueError):
    """A field or parameter is wrong; the message names it."""

    status = 400
    code = "InvalidParameter"


class MissingParameter(ServiceError):
    """A required field or parameter was not given."""

    status = 400
    code = "MissingParameter"


class CannotParseRequest(ServiceError):
    """The body is not the JSON object that the operation takes."""

    status = 400
    code = "CannotParseRequest"


class LimitExceeded(ServiceError):
    """A service limit of the tenancy is reached."""

    status = 400
    code = "LimitExceeded"


class QuotaExceeded(ServiceError):
    """A compartment quota is reached."""

    status = 400
    code = "QuotaExceeded"


class NotAuthenticated(ServiceError):
    """The signature is missing or wrong."""

    status = 401
    code = "NotAuthenticated"


class NotAllowed(ServiceError):
    """Understood, but not possible here, such as an IAM write outside the home region."""

    status = 403
    code = "NotAllowed"


class NotAuthorizedOrNotFound(ServiceError):
    """There is no such resource, or no policy lets the caller see it. OCI does not tell which."""

    status = 404
    code = "NotAuthorizedOrNotFound"


class NotFound(ServiceError):
    """There is nothing at this path, or an object that can't exist yet."""

    status = 404
    code = "NotFound"


class BucketNotFound(ServiceError):
    """Object Storage's own way to say that the bucket does not exist."""

    status = 404
    code = "BucketNotFound"


class ObjectNotFound(ServiceError):
    """Object Storage's own way to say that the object does not exist."""

    status = 404
    code = "ObjectNotFound"


class MethodNotAllowed(ServiceError):
    """The path exists, this verb on it does not."""

    status = 405
    code = "MethodNotAllowed"


class IncorrectState(ServiceError):
    """The resource is in a state, or in a use, that forbids this operation."""

    status = 409
    code = "IncorrectState"


class Conflict(ServiceError):
    """The resource is still in use by another one."""

    status = 409
    code = "Conflict"


class AlreadyExists(ServiceError):
    """A resource of that name exists already."""

    status = 409
    code = "ResourceAlreadyExists"


class BucketAlreadyExists(ServiceError):
    status = 409
    code = "BucketAlreadyExists"


class BucketNotEmpty(ServiceError):
    """A bucket with objects (or versions of objects) can't be deleted."""

    status = 409
    code = "BucketNotEmpty"


class NamespaceNotFound(ServiceError):
    """The tenancy has another namespace."""

    status = 404
    code = "NamespaceNotFound"


class InvalidBucketName(ServiceError):
    """The bucket's name has a character that it must not have, or too many."""

    status = 400
    code = "InvalidBucketName"


class InvalidObjectName(ServiceError):
    """The object's name has a character that it must not have, or too many."""

    status = 400
    code = "InvalidObjectName"


class NoSuchUpload(ServiceError):
    """There is no upload in parts with that id for that object."""

    status = 404
    code = "NoSuchUpload"


class InvalidUploadPart(ServiceError):
    """A part to commit was not uploaded, or its etag is another."""

    status = 400
    code = "InvalidUploadPart"


class UnmatchedContentMD5(ServiceError):
    """The body is not the one whose MD5 the client sent."""

    status = 400
    code = "UnmatchedContentMD5"


class UnmatchedContentChecksum(ServiceError):
    """The body is not the one whose SHA checksum the client sent."""

    status = 400
    code = "UnmatchedContentSHA"


class InvalidRange(ServiceError):
    """The range begins behind the object's end."""

    status = 416
    code = "InvalidRange"


class IfMatchFailed(ServiceError):
    """``if-match`` names another version than the present one."""

    status = 412
    code = "IfMatchFailed"


class IfNoneMatchFailed(ServiceError):
    """``if-none-match`` forbids what is there."""

    status = 412
    code = "IfNoneMatchFailed"


class InvalidatedRetryToken(ServiceError):
    """The same ``opc-retry-token`` came with another body."""

    status = 409
    code = "InvalidatedRetryToken"


class NoEtagMatch(ServiceError):
    """``if-match`` or ``if-none-match`` does not hold."""

    status = 412
    code = "NoEtagMatch"


class PayloadTooLarge(ServiceError):
    """The body is larger than the operation takes."""

    status = 413
    code = "PayloadTooLarge"


class InternalError(ServiceError):
    """What compute and Data Science call it when there is no host."""

    status = 500
    code = "InternalError"


class ServiceUnavailable(ServiceError):
    """What should answer is not up."""

    status = 503
    code = "ServiceUnavailable"


class NotImplementedByMock(ServiceError):
    """OCI knows this operation, ocimock does not (yet): it says so rather than invent an answer."""

    status = 501
    code = "NotImplemented"
