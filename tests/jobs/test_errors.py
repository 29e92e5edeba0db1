"""What OCI's refusals look like to a reader."""

from __future__ import annotations

import socket

import oci
import pytest

from jobs.errors import RefusedError, UnreachableError, attempting


def _service_error(status: int, code: str, message: str) -> oci.exceptions.ServiceError:
    headers = {"opc-request-id": "REQ/1"}
    return oci.exceptions.ServiceError(status, code, headers, message)


def test_a_body_that_breaks_off_is_no_answer() -> None:
    """The SDK gives an object's body as it comes: what goes wrong then is not wrapped."""
    from oci._vendor.requests.exceptions import ChunkedEncodingError

    with pytest.raises(UnreachableError, match="read an object"), attempting("read an object"):
        raise ChunkedEncodingError("Connection broken: IncompleteRead(5 bytes read)")


@pytest.mark.parametrize(
    ("status", "code", "message", "advice"),
    [
        (401, "NotAuthenticated", "no", "this machine's clock"),
        (404, "NotAuthorizedOrNotFound", "no", "'not there' and 'not allowed'"),
        (400, "LimitExceeded", "no", "service limit"),
        (429, "TooManyRequests", "no", "throttling"),
        (500, "InternalError", "Out of host capacity.", "no such machines free"),
        (503, "ServiceUnavailable", "no", "The fault is OCI's"),
        (409, "IncorrectState", "no", "Something else is changing"),
    ],
)
def test_a_refusal_says_all_there_is(status: int, code: str, message: str, advice: str) -> None:
    with pytest.raises(RefusedError) as caught, attempting("create the job 'x'"):
        raise _service_error(status, code, message)
    assert caught.value.what.splitlines() == [
        f"Could not create the job 'x': OCI answered {status} {code}.",
        f"OCI's message: {message}",
        "opc-request-id: REQ/1",
    ]
    assert advice in caught.value.advice
    assert caught.value.status == status
    assert caught.value.passing is (status == 429 or status >= 500)


def test_no_answer() -> None:
    with pytest.raises(UnreachableError, match="OCI did not answer"), attempting("read"):
        raise oci.exceptions.ConnectTimeout("timed out")


def test_no_answer_names_the_host_and_the_first_cause() -> None:
    """The SDK's own text is a paragraph of wrapped exceptions."""
    wrapped = oci.exceptions.RequestException(
        "OCIConnectionPool(host='datascience.example', port=443): Max retries exceeded"
    )
    wrapped.__context__ = ConnectionRefusedError(111, "Connection refused")
    with pytest.raises(UnreachableError) as caught, attempting("read"):
        raise wrapped
    assert caught.value.what == (
        "Could not read: OCI did not answer (datascience.example: [Errno 111] Connection refused)."
    )


def test_a_bug_stays_a_bug() -> None:
    with pytest.raises(ZeroDivisionError), attempting("read"):
        _ = 1 / 0


def test_an_embedded_oci_that_has_ended_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK would try again for minutes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        with attempting("read the run"):
            pass
    tried = []
    refused = pytest.raises(UnreachableError, match=f"nothing listens at 127.0.0.1:{port}")
    with refused as caught, attempting("read the run"):
        tried.append("by the SDK")
    assert not tried
    assert "make demo" in caught.value.advice
