"""Why pyproject.toml pins typer: `python benchmarks/typer_cost.py VENV/bin/python OTHER/bin/python`.

Each interpreter, with a typer of its own, runs one of fifteen commands as a cold process, in turn with `-c pass`.
"""

import subprocess
import sys
import time
from statistics import median

APP = """
import sys, typer
app = typer.Typer()
def hello(name: str, loud: bool = False) -> None:
    print(name)
for number in range(15):
    app.command(f"hello-{number}")(hello)
sys.argv[1:] = ["hello-0", "Ada"]
app()
"""
VERSION = "from importlib.metadata import version; print(version('typer'))"
RUNS = 21


def seconds(*command: str) -> float:
    """Return how long a process takes."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


for python in sys.argv[1:]:
    name = subprocess.run((python, "-c", VERSION), check=True, capture_output=True, text=True).stdout.strip()
    seconds(python, "-c", APP)
    pairs = [(seconds(python, "-c", "pass"), seconds(python, "-c", APP)) for _ in range(RUNS)]
    times = median(app / bare for bare, app in pairs)
    print(f"typer {name:<8} {1000 * min(app for _, app in pairs):4.0f} ms at best, {times:4.1f} times bare python")
