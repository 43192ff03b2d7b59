"""Jobs get credentials by the tokens that GitHub signs for them, and obstore takes what they get."""

import json
from pathlib import Path

import pytest

from tests.commands.fleet_world import git
from tests.pipeline.clouds import Clouds
from tests.pipeline.world import World, publish_to

GCP = "projects/1/locations/global/workloadIdentityPools/p/providers/x"
CLOUDS = {
    "aws": (
        ("s3://bucket/state", "aws-role: arn:aws:iam::1:role/r", "aws-region: eu-north-1"),
        {"AWS_ENDPOINT_URL_STS": "{url}"},
        ["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_REGION"],
        ("/?Action=AssumeRoleWithWebIdentity", "WebIdentityToken=jwt.for.sts.amazonaws.com"),
    ),
    "azure": (
        ("az://container/state", "azure-client-id: c", "azure-tenant-id: t", "azure-storage-account: acct"),
        {"AZURE_AUTHORITY_HOST": "{url}", "AZURE_STORAGE_ENDPOINT": "{url}/acct"},
        ["AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_STORAGE_ACCOUNT_NAME"],
        ("/t/oauth2/v2.0/token", "client_assertion=jwt.for.AzureADTokenExchange"),
    ),
    "gcp": (
        (
            "gs://bucket/state",
            f"gcp-workload-identity-provider: {GCP}",
            "gcp-service-account: me@p.example.com",
        ),
        {"GOOGLE_BASE_URL": "{url}"},
        ["GOOGLE_BEARER_TOKEN"],
        ("/bucket/state%2Fmanifest", "Bearer ya29.token-1"),
    ),
}


def for_google(cloud: Clouds) -> None:
    """Assert that Google was asked for what it takes: a token for the job's, and another one for that."""
    exchange, impersonation = ([one for one in cloud.asked if end in one[0]] for end in ("/v1/token", ":generateAcc"))
    body = json.loads(exchange[0][2])
    assert body["audience"] == f"//iam.googleapis.com/{GCP}"
    assert body["subjectToken"] == f"jwt.for.iam.googleapis.com/{GCP}"
    assert impersonation[0][1] == "Bearer fed.1"
    assert "/serviceAccounts/me@p.example.com:" in impersonation[0][0]


@pytest.mark.parametrize("name", CLOUDS)
def test_a_cloud_is_shown_the_token_of_the_job(world: World, cloud: Clouds, name: str) -> None:
    (to, *inputs), more, exported, (path, shown) = CLOUDS[name]
    publish_to(world, to, *inputs)
    env = {key: text.format(url=cloud.url) for key, text in more.items()} | {"SSL_CERT_FILE": str(cloud.certificate)}
    world.runner.env = env
    assert not world.runner.trigger("rollouts.yml", "push"), "the cloud here knows nobody"
    assert list(world.runner.exported) == exported
    for key, value in world.runner.exported.items():
        if key.endswith("_FILE"):
            assert (Path(value).stat().st_mode & 0o777, Path(value).read_text()[:8]) == (0o600, "jwt.for.")
    secrets = [line.removeprefix("::add-mask::") for line in world.runner.commands() if "add-mask" in line]
    assert secrets, "the log shows no token"
    assert not any(secret in world.runner.said.replace(f"::add-mask::{secret}\n", "") for secret in secrets)
    (asked,) = {" ".join(one) for one in cloud.asked if one[0].startswith(path)}
    assert shown in asked
    if name == "gcp":
        for_google(cloud)
        assert len(secrets) == 3, "the job's token, the one for it, and the service account's"
    # It refuses us here: what cannot be reached is 4, and said so; nobody was told anything.
    assert "exit code 4" in world.runner.summary, world.runner.said
    assert any(line.startswith("::error title=Publish::git, the store or") for line in world.runner.commands())
    assert "tsunami-ledger" not in git(world.remote, "branch", "--list")


@pytest.mark.parametrize(
    ("inputs", "failing", "says"),
    [
        (("aws-role: arn",), False, "AWS_REGION is empty or no single line"),
        (("aws-role: arn", "aws-region: eu-north-1"), True, "403"),
    ],
)
def test_without_credentials_nothing_is_published(
    world: World, cloud: Clouds, inputs: tuple[str, ...], failing: bool, says: str
) -> None:
    publish_to(world, f"file:{world.public}", *inputs)
    cloud.failing = failing
    assert not world.runner.trigger("rollouts.yml", "push")
    assert says in world.runner.said
    assert not world.public.exists()


def test_a_job_without_the_right_to_a_token_says_which(world: World) -> None:
    publish_to(world, f"file:{world.public}", "aws-role: arn", "aws-region: eu-north-1")
    assert not world.runner.trigger("rollouts.yml", "push")
    assert "::error title=Credentials::the job has no token to show: give the job that calls this workflow the " in (
        world.runner.said
    )
    assert not world.public.exists()
