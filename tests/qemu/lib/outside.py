# SPDX-License-Identifier: MIT
"""The world beyond a board's NIC: QEMU's user network has the host at 10.0.2.2."""

import hashlib
import http.server
import random
import threading

SIZE = 1 << 20


class Outside:
    """A server on this machine, which the VMs find at 10.0.2.2: it gives away `data` and answers to
    what it's given with its hash.
    """

    def __init__(self):
        self.data = random.Random(6).randbytes(SIZE)
        self.hash = hashlib.md5(self.data).hexdigest()
        outside = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.answer(outside.data)

            def do_POST(self):
                got = self.rfile.read(int(self.headers["Content-Length"]))
                self.answer(hashlib.md5(got).hexdigest().encode())

            def answer(self, data):
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://10.0.2.2:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
