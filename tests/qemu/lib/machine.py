# SPDX-License-Identifier: MIT
"""A running QEMU and its console: start it, wait for what it prints, type, see how it ends.

    m = Machine("name", bundle=path, smp=2)         # keywords as in qemu.DEFAULTS
    m.expect(r"@@ SHELL")                           # waits; raises ConsoleError with the last lines
    m.escape("2")                                   # Ctrl-] 2
    assert m.run("ping -c 1 10.0.0.2") == 0         # a command in the shell of the guest in focus
    m.expect_exit()

Everything that the console prints is in build/test-logs/NAME.log. Timeouts are wall clock, meant
for an idle machine, and stretched by the machine's load while waiting.
"""

import os
import pathlib
import re
import socket
import subprocess
import tempfile
import threading
import time

from . import qemu

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("B", ROOT / "build")).resolve()
LOGS = BUILD / "test-logs"
ESCAPE = "\x1d"
TAIL_LINES = 60
CPUS = os.cpu_count() or 1

# Consoles come byte by byte: whoever reads at once spends as much time on it as QEMU has.
READ_PAUSE = 0.005
SCALE = float(os.environ.get("TIMEOUT_SCALE", "1"))


class ConsoleError(AssertionError):
    """What was waited for did not come. The message ends with the last lines of the console."""


def stretch():
    """By how much longer than on an idle machine things take now."""
    return SCALE * max(1.0, os.getloadavg()[0] / CPUS)


def own_lines(text):
    """The lines of what has the focus, without those of other VMs and of Muntin.

    When others interrupt a line, as much as was there of it is shown again below them: the first
    showing is left out.
    """
    lines = []
    interrupted = False
    for line in text.split("\n"):
        if re.match(r"\[[^\]\s]+\] |muntin: ", line):
            interrupted = True
            continue
        if interrupted and lines and lines[-1] and line.startswith(lines[-1]):
            lines.pop()
        lines.append(line)
        interrupted = False
    return lines


class Machine:
    def __init__(self, name, serial_file=False, **options):
        """serial_file: the console goes to a file and cannot be typed at; a pipe that is slow to
        be read would stall virtual time, so exactly repeatable runs (icount) need it."""
        self.name = name
        self.arch = options.get("arch", "arm64")
        uboot = "u-boot32.bin" if self.arch == "arm" else "u-boot.bin"
        files = {"image": BUILD / self.arch / "muntin.bin", "uboot": BUILD / "guests" / uboot}
        self.options = {**files, **options}
        self._text = ""
        self._pos = 0
        self._grown = threading.Condition()
        self._sockets = tempfile.TemporaryDirectory(prefix="muntin-")
        self._monitor_path = os.path.join(self._sockets.name, "monitor")
        LOGS.mkdir(parents=True, exist_ok=True)
        self.log_path = LOGS / f"{name}.log"
        self._log = open(self.log_path, "wb")
        self._console_file = LOGS / f"{name}.console" if serial_file else None
        self.command = qemu.command(self._serial(), **self.options)
        self._write_log(f"+ {' '.join(self.command)}\n".encode())
        self._start()

    def _serial(self):
        args = ["-monitor", f"unix:{self._monitor_path},server=on,wait=off"]
        if self._console_file:
            self._console_file.write_bytes(b"")
            return args + ["-serial", f"file:{self._console_file}"]
        return args + ["-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"]

    def _start(self):
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
        )
        self._readers = [threading.Thread(target=self._read_pipe, daemon=True)]
        if self._console_file:
            self._readers.append(threading.Thread(target=self._read_file, daemon=True))
        for reader in self._readers:
            reader.start()

    def _read_pipe(self):
        while True:
            data = self.process.stdout.read(65536)
            if not data:
                break
            self._got(data)
            time.sleep(READ_PAUSE)
        with self._grown:
            self._grown.notify_all()

    def _read_file(self):
        with open(self._console_file, "rb") as console:
            while True:
                ended = self.process.poll() is not None
                data = console.read()
                if data:
                    self._got(data)
                elif ended:
                    return
                else:
                    time.sleep(0.05)

    def _got(self, data):
        self._write_log(data)
        with self._grown:
            self._text += data.decode("latin-1").replace("\r", "")
            self._grown.notify_all()

    def _write_log(self, data):
        self._log.write(data)
        self._log.flush()

    @property
    def text(self):
        """Everything printed so far, without carriage returns."""
        with self._grown:
            return self._text

    def seen(self, pattern):
        """Has this been printed at all, be it long ago? Gives the match or None."""
        return re.search(pattern, self.text, re.MULTILINE)

    def tail(self, lines=TAIL_LINES):
        return "\n".join(self.text.splitlines()[-lines:])

    def _fail(self, why):
        registers = self.monitor("info registers -a")
        self._write_log(f"\n+ {why}\n{registers}\n".encode())
        where = "\n".join(re.findall(r"^CPU#\d+|^ *PC=\S+.*?(?= X01|$)|PSTATE=.*", registers, re.M))
        raise ConsoleError(
            f"{self.name}: {why}\nlast lines (all in {self.log_path}):\n{self.tail()}\n{where}"
        )

    def _wait(self, ready, timeout, why):
        """Waits until ready() gives something that is not None; the lock is held in ready()."""
        start = time.monotonic()
        with self._grown:
            while True:
                found = ready()
                if found is not None:
                    return found
                ended = not any(r.is_alive() for r in self._readers)
                waited = time.monotonic() - start
                if ended or waited > timeout * stretch():
                    break
                self._grown.wait(0.5)
        if ended:
            self._fail(f"QEMU ended (code {self.process.wait()}) while waiting for {why}")
        self._fail(f"{waited:.0f} s passed without {why}")

    def expect(self, pattern, timeout=60):
        """Waits until the pattern is printed after what was last expected; gives the match. ^ and $
        are the ends of lines: a pattern that ends in $ waits for the line to end."""
        regex = re.compile(pattern, re.MULTILINE)
        whole_lines = pattern.endswith("$")

        def search():
            end = self._text.rfind("\n") + 1 if whole_lines else len(self._text)
            match = regex.search(self._text, self._pos, end)
            if match:
                self._pos = match.end()
            return match

        return self._wait(search, timeout, f"/{pattern}/")

    def mark(self):
        """The place up to which the console was read, for rewind()."""
        return self._pos

    def rewind(self, mark):
        """Goes back (or on) to this place: expect() looks from there."""
        self._pos = mark

    def quiet(self, seconds, pattern):
        """Nothing that matches comes for so long, from now on."""
        start = len(self.text)
        time.sleep(seconds)
        match = re.compile(pattern, re.MULTILINE).search(self.text, start)
        if match:
            self._fail(f"{match.group(0)!r} came, and should not")

    def expect_exit(self, code=0, timeout=60):
        """Waits until QEMU has ended by itself."""

        try:
            self.process.wait(timeout * stretch())
        except subprocess.TimeoutExpired:
            self._fail(f"QEMU has not ended within {timeout * stretch():.0f} s")
        for reader in self._readers:
            reader.join()
        if self.process.returncode != code:
            self._fail(f"QEMU ended with {self.process.returncode}, not {code}")

    def send(self, text):
        try:
            self.process.stdin.write(text.encode("latin-1"))
        except BrokenPipeError:
            self._fail("QEMU has ended and takes no more input")

    def line(self, text):
        """Types a line: terminals send a carriage return."""
        self.send(text + "\r")

    def escape(self, key):
        """Muntin's escape: "1".."9" for a VM, "0" for the prompt, "?" for help."""
        self.send(ESCAPE + key)

    def run(self, command, timeout=60):
        """Runs a command in the shell of the guest in focus; gives its exit code. What it printed
        is in self.output, without what others say meanwhile."""
        # The quotes keep the echo of what is typed from looking like the answer, the dots half of
        # a number, with another VM's line behind it, from looking like all of it.
        self.line(f"echo '@''@' RUN.; {command}; echo '@''@' RC=$?.")
        start = self.expect(r"@@ RUN\.\n", timeout).start()
        match = self.expect(r"@@ RC=(\d+)\.", timeout)
        _, *lines = own_lines(self.text[start : match.end()])
        last = lines.pop().removesuffix(match.group(0))
        self.output = "\n".join([*lines, last] if last else lines)
        return int(match.group(1))

    def boot_from_uboot(self):
        """For how="uboot": stops its countdown and starts Muntin the way a user would."""
        bundle = self.options.get("bundle")
        self.expect(r"Hit any key to stop autoboot")
        self.line("")
        self.expect(r"^=> ")
        self.line(qemu.uboot_boot(self.arch, os.path.getsize(bundle) if bundle else 0))

    def monitor(self, command, timeout=10):
        """QEMU's answer to a command of its monitor, or "" if it does not answer any more."""
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(timeout * stretch())
                s.connect(self._monitor_path)
                answer = self._until_prompt(s)
                s.sendall(command.encode() + b"\n")
                answer = self._until_prompt(s)
        except OSError:
            return ""
        return answer.replace("\r", "").split("\n", 1)[-1].removesuffix("(qemu) ")

    @staticmethod
    def _until_prompt(s):
        got = b""
        while not got.endswith(b"(qemu) "):
            data = s.recv(65536)
            if not data:
                break
            got += data
        return got.decode("latin-1")

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for reader in self._readers:
            reader.join(10)
        self.process.stdin.close()
        self.process.stdout.close()
        self._log.close()
        self._sockets.cleanup()
