# SPDX-License-Identifier: MIT
"""What every on-target test may ask for: machines, bundles and the files that `make` built."""

import pathlib
import re
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from lib.bundle import write_bundle  # noqa: E402
from lib.machine import BUILD, Machine  # noqa: E402
from lib.outside import Outside  # noqa: E402


# Files of many short cases: these come last, so that all of pytest's processes have something to do
# until the end.
SHORT = {"bad_boards", "bad_input", "guests", "neighbours", "qnx", "semantics", "tool"}


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.stem[len("test_") :] in SHORT)


@pytest.fixture
def machine(request):
    """machine(...) starts a QEMU whose log is named after the test; all are ended afterwards."""
    started = []
    base = re.sub(r"[^\w.-]+", "_", request.node.name).strip("_")

    def start(**options):
        name = base if not started else f"{base}-{len(started) + 1}"
        m = Machine(name, **options)
        started.append(m)
        return m

    yield start
    for m in started:
        m.close()
    if hasattr(request.node, "call_report") and request.node.call_report.failed:
        for m in started:
            print(f"--- {m.name}, whole log in {m.log_path} ---\n{m.tail()}")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    if outcome.get_result().when == "call":
        item.call_report = outcome.get_result()


@pytest.fixture
def bundle(tmp_path):
    """bundle({"a.qvmconf": text, "kernel": Path}) writes a bundle and gives its path."""
    counter = iter(range(1000))
    return lambda files: write_bundle(tmp_path / f"bundle{next(counter)}.cpio", files)


@pytest.fixture(scope="session")
def built():
    """built("guests/d12c.Image"): a file under build/ that `make test` has made before."""

    def path_of(name):
        path = BUILD / name
        assert path.exists(), f"{path} is missing: run the tests by `make test`"
        return path

    return path_of


@pytest.fixture
def outside():
    server = Outside()
    yield server
    server.close()
