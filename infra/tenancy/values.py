"""Types of single values in a tenancy file: each says in words what it allows.

``Allowed`` is that sentence; the loader prints it whenever a value is refused, by the type or by
the check behind it.
"""

import ipaddress
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError

from infra.tenancy.tables import GPU_SHAPES, REALM_OF_REGION, RETENTION_DAYS, SHAPES

REFUSED = "refused"
"""Error type of every check below; its message is the hint, possibly empty."""


@dataclass(frozen=True)
class Allowed:
    """What a field takes, in words, without a final stop."""

    text: str


def refused(hint: str = "") -> PydanticCustomError:
    """The error that a check raises; ``hint`` is a sentence without a final stop."""
    return PydanticCustomError(REFUSED, "{hint}", {"hint": hint})


def nearest(found: object, names: Iterable[str]) -> str:
    """``Did you mean 'x'?`` without the stop, or nothing if no name is near."""
    near = get_close_matches(str(found), list(names), n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else ""


def _matching(pattern: str) -> AfterValidator:
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise refused()
        return value

    return AfterValidator(check)


def _one_of(names: Iterable[str]) -> AfterValidator:
    known = tuple(names)

    def check(value: str) -> str:
        if value not in known:
            raise refused(nearest(value, known))
        return value

    return AfterValidator(check)


# ocid1.<type>.<realm>.[region][.future].<unique id>
_OCID = re.compile(r"ocid1\.([a-z0-9]+)\.(oc\d+)\.([a-z0-9-]*)(?:\.[a-z0-9-]+)?\.([a-z0-9_-]+)")


def _ocid(*types: str) -> AfterValidator:
    def check(value: str) -> str:
        match = _OCID.fullmatch(value)
        if match is None:
            raise refused("an OCID has the form ocid1.<type>.<realm>.[region].<unique>")
        if match[1] not in types:
            raise refused(f"this is the OCID of a {match[1]}")
        return value

    return AfterValidator(check)


def realm_of(ocid: str) -> str:
    """``oc1`` for the public cloud."""
    return ocid.split(".")[2]


# RFC 1918. What Python calls private holds loopback and link-local too, which OCI refuses.
_PRIVATE = tuple(map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))


def _cidr(shortest: int, longest: int) -> AfterValidator:
    def check(value: str) -> str:
        try:
            network = ipaddress.IPv4Network(value)
        except ValueError:
            raise refused(_cidr_hint(value)) from None
        if not shortest <= network.prefixlen <= longest:
            raise refused(f"this one is a /{network.prefixlen}")
        if not any(network.subnet_of(private) for private in _PRIVATE):
            raise refused(f"private are {_listed(map(str, _PRIVATE))}")
        return str(network)

    return AfterValidator(check)


def _cidr_hint(value: str) -> str:
    try:
        network = ipaddress.IPv4Network(value, strict=False)
    except ValueError:
        return ""
    if "/" not in value:
        return f"did you mean '{value}/24'?"
    return f"the address has host bits set; did you mean '{network}'?"


def _retention(value: int) -> int:
    if value not in RETENTION_DAYS:
        near = min(RETENTION_DAYS, key=lambda days: abs(days - value))
        raise refused(f"the nearest is {near}")
    return value


# What YAML 1.1 takes for text, since it wants a point in the mantissa and a sign in the exponent.
_EXPONENT = re.compile(r"\d+(?:\.\d*)?[eE][+-]?\d+")


def _from_exponent(value: object) -> object:
    """``1e-4`` as the number that its writer means."""
    return float(value) if isinstance(value, str) and _EXPONENT.fullmatch(value) else value


def _dollars(value: float) -> float:
    if not 0 < value < math.inf:
        raise refused("leave the line out for no limit")
    return value


def _rate(value: float) -> float:
    if not 0 < value <= 1:
        raise refused()
    return value


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


Region = Annotated[
    str,
    Allowed("a region identifier such as eu-frankfurt-1"),
    _one_of(REALM_OF_REGION),
]
TenancyOcid = Annotated[
    str,
    Allowed("the OCID of a tenancy (ocid1.tenancy.oc1..…)"),
    _ocid("tenancy"),
]
CompartmentOcid = Annotated[
    str,
    Allowed("the OCID of a compartment (ocid1.compartment.oc1..…), or the tenancy's for its root"),
    _ocid("compartment", "tenancy"),
]
SubnetOcid = Annotated[
    str,
    Allowed("the OCID of a subnet (ocid1.subnet.oc1.<region>.…)"),
    _ocid("subnet"),
]
VcnCidr = Annotated[str, Allowed("a private IPv4 CIDR from /16 to /30"), _cidr(16, 30)]
SubnetCidr = Annotated[
    str, Allowed("a private IPv4 CIDR from /16 to /30 inside network.vcn_cidr"), _cidr(16, 30)
]
Prefix = Annotated[
    str,
    Allowed("2 to 24 of a-z, 0-9 and '-', starting with a letter, not ending with '-'"),
    _matching(r"[a-z](?:[a-z0-9-]{0,22})[a-z0-9]"),
]
BucketName = Annotated[
    str,
    Allowed("1 to 256 letters, digits, '.', '_' and '-'"),
    _matching(r"[A-Za-z0-9._-]{1,256}"),
]
GroupName = Annotated[
    str,
    Allowed("1 to 100 letters, digits, '.', '_', '@', '-', '+' and spaces inside"),
    _matching(r"[A-Za-z0-9._@+-](?:[A-Za-z0-9._@+ -]{0,98}[A-Za-z0-9._@+-])?"),
]
SecretName = Annotated[
    str,
    Allowed("1 to 255 letters, digits, '.', '_' and '-'"),
    _matching(r"[A-Za-z0-9._-]{1,255}"),
]
Model = Annotated[
    str,
    Allowed("7b, 13b, or a Hugging Face model id such as meta-llama/Llama-2-70b-hf"),
    _matching(r"7b|13b|[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*"),
]
Dataset = Annotated[
    str,
    Allowed("a Hugging Face data set id such as knkarthick/samsum"),
    _matching(r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*"),
]
Revision = Annotated[
    str,
    Allowed("a branch, a tag or a commit of the repository on the hub"),
    _matching(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}"),
]
# Not http: the token would travel in clear.
HubEndpoint = Annotated[
    str,
    Allowed("the address of a hub, https://<host>[:port][/path]"),
    _matching(r"https://[A-Za-z0-9.-]+(?::\d{1,5})?(?:/[A-Za-z0-9._~/-]*)?"),
]
LearningRate = Annotated[
    float,
    BeforeValidator(_from_exponent),
    Allowed("a number above 0 and up to 1, such as 0.0001"),
    AfterValidator(_rate),
]
Dollars = Annotated[
    float, Allowed("a number of US dollars above 0, such as 500"), AfterValidator(_dollars)
]
# Half a character, or one that controls a terminal, would fail in the last step, hours later.
_NO_TEXT = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff"
Question = Annotated[
    str,
    Allowed("text of 1 to 4000 characters, none of them a control character"),
    _matching(rf"(?=\s*\S)[^{_NO_TEXT}]{{1,4000}}"),
]
GpuShape = Annotated[str, Allowed(f"a GPU shape: {_listed(GPU_SHAPES)}"), _one_of(GPU_SHAPES)]
AnyShape = Annotated[str, Allowed(f"a compute shape: {_listed(SHAPES)}"), _one_of(SHAPES)]
RetentionDays = Annotated[
    int,
    Allowed(f"one of {_listed(map(str, RETENTION_DAYS))}"),
    AfterValidator(_retention),
]
Image = Annotated[
    str,
    Allowed("dsmc://<container>:<version>, or an image in OCIR (<region>.ocir.io/…:<tag>)"),
    _matching(r"dsmc://[a-z0-9-]+:[A-Za-z0-9._-]+|[a-z0-9.-]+\.ocir\.io/[^\s:@]+[:@]\S+"),
]
Slug = Annotated[
    str,
    Allowed("the slug of a conda environment, such as pytorch28_p312_gpu_x86_64_v1"),
    _matching(r"[a-z0-9_]{3,100}"),
]
# A flag or its value: what a shell would read as more than one word, an expansion or a second
# command is refused, because the job's driver hands the command to a shell.
Argument = Annotated[
    str,
    Allowed("one word of letters, digits and . _ = / : , @ % + -"),
    _matching(r"[A-Za-z0-9._=/:,@%+-]+"),
]
Tag = Annotated[str, Allowed("text of at most 256 characters"), _matching(r".{0,256}")]
