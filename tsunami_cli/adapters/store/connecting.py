"""Buckets as obstore opens them. Apart from `opening`, because a folder must not pay for loading obstore."""

from datetime import timedelta
from typing import TYPE_CHECKING

from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, S3Store

from tsunami_cli.adapters.store.cloud import Bucket, CloudStore
from tsunami_cli.adapters.store.clouds import CLOUDS, speaks_http
from tsunami_cli.adapters.store.failures import explained
from tsunami_cli.adapters.store.limits import request_limit

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

_CONNECT = 5.0
_RETRIES = 3


def connect(scheme: str, name: str, prefix: str) -> CloudStore:
    """Return a bucket below a prefix, where the environment says that it is; nothing is asked yet."""
    address = f"{scheme}://{name}/{prefix}".rstrip("/")
    cloud = CLOUDS[scheme]
    limit = request_limit()
    # A try takes three quarters of the limit at most, and none begins after the first: together they keep to it.
    first = limit / 4
    client: ClientConfig = {
        "allow_http": speaks_http(address, cloud),
        "connect_timeout": timedelta(seconds=min(_CONNECT, first)),
        "timeout": timedelta(seconds=limit - first),
    }
    retry: RetryConfig = {
        "max_retries": _RETRIES,
        "retry_timeout": timedelta(seconds=first),
        "backoff": {"init_backoff": timedelta(milliseconds=200), "max_backoff": timedelta(seconds=2), "base": 3},
    }
    try:
        return CloudStore(address, _open(scheme, name, prefix, client, retry), cloud)
    except (BaseError, OSError, ValueError) as error:
        raise explained(error, address, "cannot be opened", cloud) from None


def _open(scheme: str, name: str, prefix: str, client: "ClientConfig", retry: "RetryConfig") -> Bucket:
    if scheme == "s3":
        return S3Store(name, prefix=prefix or None, client_options=client, retry_config=retry)
    if scheme == "gs":
        return GCSStore(name, prefix=prefix or None, client_options=client, retry_config=retry)
    return AzureStore(name, prefix=prefix or None, client_options=client, retry_config=retry)
