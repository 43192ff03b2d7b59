"""What obstore complains about, in one line: what, where, why, and the way out.

Its own texts are never shown: they hold whole requests, with tokens and signatures, over thirty lines.
"""

import re

from tsunami_cli.adapters.store.clouds import Cloud
from tsunami_cli.adapters.store.limits import plain, request_limit
from tsunami_cli.errors import Unreachable

_STATUS = re.compile(r"status code: ([0-9]{3})")
_CODE = re.compile(r"<Code>([A-Za-z0-9_.]{1,60})</Code>")
_SERVER = re.compile(r"performing [A-Z]+ https?://(?:[^/\s@]*@)?([^/\s?]{1,255})")
_RETRIES = re.compile(r"after ([0-9]+) retries")
_NO_CREDENTIALS = re.compile(
    r"169\.254\.|fd00:ec2|metadata\.google|/latest/api/token|/computeMetadata/|/metadata/identity/|token request"
    r"|Missing AccessKeyId|Missing SecretAccessKey|MissingCredentialConfig|Account must be specified"
)
_WRONG = frozenset({"SignatureDoesNotMatch", "InvalidAccessKeyId", "AuthenticationFailed", "InvalidToken"})
_NO_BUCKET = frozenset({"NoSuchBucket", "ContainerNotFound", "InvalidBucketName", "InvalidResourceName"})
_REGION = frozenset({"AuthorizationHeaderMalformed", "PermanentRedirect", "IllegalLocationConstraintException"})


def is_missing(error: BaseException, cloud: Cloud) -> bool:
    """Say whether the store itself answers that it has no such object.

    A 404 without its code may be any web server's, at a wrong address: believing it, a publish would begin anew.
    """
    return isinstance(error, FileNotFoundError) and _code(str(error)) in cloud.missing


def explained(error: BaseException, address: str, what: str, cloud: Cloud) -> Unreachable:
    """Return an error of obstore as one that can be shown."""
    return Unreachable(f"{address}: {what}: {plain(_reason(str(error), cloud))}")


def _code(text: str) -> str:
    found = _CODE.search(text)
    return found[1] if found else ""


def _reason(text: str, cloud: Cloud) -> str:
    found = _SERVER.search(text)
    server = found[1] if found else "the store"
    if _NO_CREDENTIALS.search(text):
        return f"no credentials: {cloud.credentials}"
    if "incorrectly configured region" in text:
        return f"the {cloud.bucket} is in another region: set AWS_REGION"
    status = _STATUS.search(text)
    if status:
        return _answered(int(status[1]), _code(text), server, cloud) + _tries(text)
    return _unanswered(text, server) + _tries(text)


def _tries(text: str) -> str:
    found = _RETRIES.search(text)
    return f" (tried {int(found[1]) + 1} times)" if found else ""


def _answered(status: int, code: str, server: str, cloud: Cloud) -> str:
    """Say what a server's answer means."""
    said = f"{status} {code}".strip()
    if code in _NO_BUCKET:
        return f"{server} has no such {cloud.bucket} ({code}): create it, or mend publish.to"
    if code in _REGION:
        return f"the {cloud.bucket} is in another region ({code}): set AWS_REGION"
    if code.startswith("RequestTimeTooSkewed"):
        return f"{server} refuses the clock of this machine ({code}): set it right"
    if code.startswith("Expired"):
        return f"the credentials have expired ({code}): get new ones"
    if code in _WRONG:
        return f"{server} refuses the credentials ({code}): check them in the variables {cloud.prefix}*"
    if status in (401, 403):
        keys = f"the credentials in {cloud.prefix}* must be right"
        return f"{server} denies access ({said}): {keys}, and allow {cloud.rights}"
    if status == 404:
        return f"{server} answers {said}, without a word of an object: check publish.to, and the endpoint's address"
    if status == 501 or code == "NotImplemented":
        return f"{server} does not do what Tsunami needs ({said}): conditional writes, with If-Match and If-None-Match"
    if status in (429, 500, 502, 503, 504):
        return f"{server} is in trouble or overloaded ({said}): publish again later"
    return f"{server} answers {said}: check publish.to, the endpoint's address and the rights of the credentials"


def _unanswered(text: str, server: str) -> str:
    """Say why there is no answer."""
    if "kind: Timeout" in text or "TimedOut" in text:
        return f"no answer from {server} within {request_limit():g} s (TSUNAMI_STORE_TIMEOUT)"
    if "dns error" in text:
        return f"{server} has no address: check the endpoint's name, and the network"
    if "ConnectionRefused" in text or "Connection refused" in text:
        return f"{server} refuses the connection: is the store running there?"
    if "InvalidCertificate" in text or "certificate" in text:
        return f"the certificate of {server} is not trusted: SSL_CERT_FILE names those of a private authority"
    if "InvalidMessage" in text or "HandshakeFailure" in text or "AlertReceived" in text:
        return f"{server} does not speak TLS: is the endpoint http:// rather than https://?"
    if "URL scheme is not allowed" in text:
        return f"{server} is plain http, to which the store redirected: give its https:// address"
    if "tcp connect error" in text or "kind: Connect" in text:
        return f"{server} cannot be reached: check the network and the endpoint's address"
    if "HTTP error" in text:
        return f"{server} broke the connection off: publish again"
    # Of the configuration. Only the first line: what follows is the library's own dump.
    return re.sub(r"https?://\S+", "its address", text.partition("\n")[0])[:200]
