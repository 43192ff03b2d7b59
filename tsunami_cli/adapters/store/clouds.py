"""The three clouds: what each is called in its environment, and what obstore must not be given from there."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from tsunami_cli.errors import Unreachable

_UNFIT = re.compile(r"[^ -~]|^ | $")


@dataclass(frozen=True, slots=True)
class Cloud:
    """How to talk about a cloud, and to it."""

    bucket: str
    """What its buckets are called."""
    prefix: str
    """What its environment variables begin with."""
    endpoints: tuple[str, ...]
    """The variables that say where it is, the one that wins first."""
    plain_values: tuple[str, ...]
    """Variables that end up in a header: obstore panics at a line break there."""
    credentials: str
    """What to do where there are none."""
    rights: str
    """What the credentials must allow."""
    missing: frozenset[str]
    """Its codes for an object that is not there."""


S3 = Cloud(
    "bucket",
    "AWS_",
    ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
    ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION"),
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run where a role gives them; profiles and ~/.aws are not read"
    ' (`eval "$(aws configure export-credentials --format env)"` takes them from there)',
    "s3:GetObject, s3:PutObject, s3:DeleteObject, and s3:ListBucket, without which a missing object reads as denied",
    frozenset({"NoSuchKey"}),
)
GCS = Cloud(
    "bucket",
    "GOOGLE_",
    ("GOOGLE_BASE_URL",),
    ("GOOGLE_BEARER_TOKEN",),
    "set GOOGLE_APPLICATION_CREDENTIALS to the file of a service account's key, or GOOGLE_BEARER_TOKEN",
    "storage.objects.get, create, update, delete and list",
    frozenset({"NoSuchKey"}),
)
AZURE = Cloud(
    "container",
    "AZURE_",
    ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
    ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_ACCESS_KEY", "AZURE_STORAGE_SAS_TOKEN"),
    "set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY, or the variables of a client or a managed identity",
    "the role Storage Blob Data Contributor",
    frozenset({"BlobNotFound"}),
)
CLOUDS: Mapping[str, Cloud] = {"s3": S3, "gs": GCS, "az": AZURE}


def speaks_http(address: str, cloud: Cloud) -> bool:
    """Check what the environment says about a cloud; say whether it sends us to a server without TLS.

    Raises Unreachable where it says something that obstore would not complain about but break at.
    """
    for name in cloud.plain_values:
        # Falls to exit 4, with nothing asked: the value itself is a secret, and is not shown.
        if _UNFIT.search(os.environ.get(name, "")):
            raise Unreachable(f"{address}: {name} has a line break, white space around it, or no ASCII: set it anew")
    http = False
    for name in reversed(cloud.endpoints):
        text = os.environ.get(name)
        if text is not None:
            http = _scheme(address, name, text) == "http"
    return http


def _scheme(address: str, name: str, text: str) -> str:
    try:
        parts = urlsplit(text)
        fits = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and not _UNFIT.search(text)
    except ValueError:
        fits = False
    if not fits or " " in text or "?" in text or "@" in text:
        raise Unreachable(f"{address}: {name} is no address of a server: set it to https://HOST, or unset it")
    return parts.scheme
