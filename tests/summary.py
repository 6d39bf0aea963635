#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs tests of several kinds and adds up their results, so that `make test` can close with one line.

    summary.py begin                      forget earlier results
    summary.py cmocka [-j N] [--by PROGRAM] BINARY...
                                          each binary a set of cmocka tests, run by an emulator
    summary.py exit NAME COMMAND...       the command is one test: exit code 0 passed, 77 skipped
    summary.py pytest ARGUMENT...         pytest, in parallel where pytest-xdist is installed
    summary.py total                      the one line; exit code 1 unless all is well

Every runner leaves a line "PASSED FAILED SKIPPED" in build/results/NAME (B=... moves build). The
line is "0 1 0" while it runs, so a runner that dies counts as failed. A run of no tests at all is a
failure, too. Runners exit with 0 whatever the tests said, so that make goes on to the next: the
verdict is total's.

With CI set, a skipped test counts as failed unless tests/hardware.txt lists it: one test a line,
which can run only where some hardware is.
"""

import concurrent.futures
import importlib.util
import os
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = pathlib.Path(os.environ.get("B", ROOT / "build")).resolve()
RESULTS = BUILD / "results"
TIMEOUT = 900
SKIP_CODE = 77


class Result:
    """What became of some tests. Skipped ones are known by name: in CI only some may be."""

    def __init__(self, passed=0, failed=0, skipped=()):
        self.passed = passed
        self.failed = failed
        self.skipped = list(skipped)
        if os.environ.get("CI"):
            for name in [n for n in self.skipped if n not in allowed_skips()]:
                print(f"  FAILED   {name}: skipped, and tests/hardware.txt does not list it")
                self.skipped.remove(name)
                self.failed += 1

    def record(self, name):
        RESULTS.mkdir(parents=True, exist_ok=True)
        path = RESULTS / re.sub(r"[^\w.-]+", "_", name)
        path.write_text(f"{self.passed} {self.failed} {len(self.skipped)}\n")

    def report(self, name, text):
        """One line for the reader; the whole output only of what failed, or with V=1."""
        self.record(name)
        counts = f"{self.passed} passed"
        counts += f", {self.failed} failed" if self.failed else ""
        counts += f", {len(self.skipped)} skipped" if self.skipped else ""
        print(f"  {'FAILED' if self.failed else 'ok':8} {name}: {counts}", flush=True)
        if self.failed or os.environ.get("V", "0") not in ("", "0"):
            print(text, flush=True)


NOT_ENDED = Result(failed=1)


def allowed_skips():
    path = ROOT / "tests/hardware.txt"
    lines = path.read_text().splitlines() if path.exists() else []
    return {line.split("#")[0].strip() for line in lines}


def run(command):
    """Exit code and output of a command; one that hangs is ended and has the code of timeout(1)."""
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT
        )
        return done.returncode, done.stdout.decode("utf-8", "replace")
    except subprocess.TimeoutExpired as e:
        text = (e.stdout or b"").decode("utf-8", "replace")
        return 124, f"{text}\nended after {TIMEOUT} s\n"
    except OSError as e:
        return 127, f"{command[0]}: {e.strerror}\n"


def count_cmocka(code, text):
    """A test that began and did not end well has failed, and so has one that was never begun: when
    a binary dies, all tests behind that place count. Lines about tests that are not the one under
    way are cmocka's closing lists."""
    planned = sum(int(n) for n in re.findall(r"^\[=+\] .*Running (\d+) test", text, re.M))
    began = passed = 0
    skipped = []
    current = None
    for kind, name in re.findall(r"^\[ +(RUN|OK|SKIPPED) +\] (\S+)$", text, re.M):
        if kind == "RUN":
            began += 1
            current = name
        elif name == current:
            passed += kind == "OK"
            skipped += [name] if kind == "SKIPPED" else []
            current = None
    failed = max(planned, began) - passed - len(skipped)
    if code != 0 or planned == 0:
        failed = max(failed, 1)
    return Result(passed, failed, skipped)


def run_cmocka(arguments):
    options = {"-j": "2", "--by": ""}
    while arguments and arguments[0] in options:
        options[arguments[0]] = arguments[1]
        arguments = arguments[2:]

    def one(binary):
        path = pathlib.Path(binary).resolve()
        name = f"{path.parent.name}/{path.name}"
        NOT_ENDED.record(name)
        code, text = run([*options["--by"].split(), str(path)])
        count_cmocka(code, text).report(name, text)

    with concurrent.futures.ThreadPoolExecutor(int(options["-j"])) as pool:
        list(pool.map(one, arguments))


def run_exit(arguments):
    name, command = arguments[0], arguments[1:]
    NOT_ENDED.record(name)
    code, text = run(command)
    if code == SKIP_CODE:
        result = Result(skipped=[name])
    elif code == 0:
        result = Result(passed=1)
    else:
        result = Result(failed=1)
        text += f"exit code {code}: {' '.join(command)}\n"
    result.report(name, text)


def count_junit(path):
    passed = failed = 0
    skipped = []
    for case in ElementTree.parse(path).iter("testcase"):
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            failed += 1
        elif "skipped" in kinds:
            skipped.append(case.get("name"))
        else:
            passed += 1
    return Result(passed, failed, skipped)


def run_pytest(arguments):
    NOT_ENDED.record("pytest")
    junit = BUILD / "pytest.xml"
    junit.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--junitxml={junit}"]
    if importlib.util.find_spec("xdist"):
        # A machine waits a fifth of its time: for pings, alarms, what must not come.
        command += ["-n", str((os.cpu_count() or 1) + 1)]
    code = subprocess.run(command + arguments).returncode
    if not junit.exists():
        return
    result = count_junit(junit)
    if code != 0 and result.failed == 0:
        result.failed = 1
    result.record("pytest")


def begin(_arguments):
    RESULTS.mkdir(parents=True, exist_ok=True)
    for path in RESULTS.iterdir():
        path.unlink()


def total(_arguments):
    passed = failed = skipped = 0
    broken = []
    for path in sorted(RESULTS.iterdir()) if RESULTS.exists() else []:
        counts = path.read_text().split()
        if len(counts) != 3 or not all(c.isdigit() for c in counts):
            counts = (0, 1, 0)
        if int(counts[1]):
            broken.append(path.name)
        passed += int(counts[0])
        failed += int(counts[1])
        skipped += int(counts[2])
    if broken:
        print(f"  failed in: {', '.join(broken)}")
    if passed + failed + skipped == 0:
        print("  no test has run")
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    sys.exit(0 if failed == 0 and passed > 0 else 1)


VERBS = {"begin": begin, "cmocka": run_cmocka, "exit": run_exit, "pytest": run_pytest, "total": total}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in VERBS:
        sys.exit(__doc__)
    VERBS[sys.argv[1]](sys.argv[2:])
