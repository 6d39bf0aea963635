# SPDX-License-Identifier: MIT
"""QEMU's debugger stub, as far as tests need it: stop at an instruction, change a register. So the
tests can show Muntin a CPU that QEMU does not have.
"""

import socket
import time

from .machine import stretch

PC = 32  # the stub's number; x0 to x30 are 0 to 30


class Gdb:
    """path: the socket of `-gdb unix:PATH,server=on,wait=off -S`."""

    def __init__(self, path, timeout=60):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(timeout * stretch())
        end = time.monotonic() + timeout * stretch()
        while True:
            try:
                self._socket.connect(path)
                break
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def _read(self):
        """One packet: $text#xx, acknowledged."""
        data = b""
        while len(data) < 4 or data[-3:-2] != b"#":
            byte = self._socket.recv(1)
            assert byte, "the debugger stub is gone"
            if data or byte == b"$":
                data += byte
        self._socket.sendall(b"+")
        return data[1:-3].decode()

    def ask(self, text):
        self._socket.sendall(f"${text}#{sum(text.encode()) & 0xFF:02x}".encode())
        return self._read()

    def run_to(self, address):
        assert self.ask(f"Z1,{address:x},4") == "OK"
        assert self.ask("c").startswith(("T05", "S05"))
        assert self.ask(f"z1,{address:x},4") == "OK"
        assert self.read(PC) == address

    def read(self, register):
        return int.from_bytes(bytes.fromhex(self.ask(f"p{register:x}")), "little")

    def write(self, register, value):
        assert self.ask(f"P{register:x}={value.to_bytes(8, 'little').hex()}") == "OK"

    def go(self):
        """The machine runs on by itself."""
        self.ask("D")
        self._socket.close()
