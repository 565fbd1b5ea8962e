"""A server of one file on loopback, as helpful or as bad as a test wants."""

import http.server
import threading
import time


class FileServer:
    """Serves `content`; each request takes the next of `plan`, if any.

    A step is a function of the request's handler. Afterwards the file is served
    soundly, in parts too. `ranges` has what each request asked for.
    """

    def __init__(self):
        self.content = b""
        self.plan = []
        self.ranges = []
        self.headers = {}
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                owner.ranges.append(self.headers.get("Range"))
                step = owner.plan.pop(0) if owner.plan else owner.whole()
                step(self)

            def log_message(self, *args):
                pass

        self._server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), Handler
        )
        self._server.daemon_threads = True
        # A client may leave before the end: no test wants to read of it.
        self._server.handle_error = lambda request, address: None
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}
        )
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._server.server_port}/net.pth"

    def stop(self):
        """Is not there any more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def whole(self, *, until=None, pause=0.0, parts=True, headers=None):
        """Sends the file from where it was asked for; breaks off at `until`."""

        def step(handler):
            asked = handler.headers.get("Range") if parts else None
            start = int(asked.split("=")[1].rstrip("-")) if asked else 0
            total = len(self.content)
            if start >= total:
                handler.send_response(416)
                handler.send_header("Content-Range", f"bytes */{total}")
                handler.send_header("Content-Length", "0")
                handler.end_headers()
                return
            handler.send_response(206 if asked else 200)
            if asked:
                place = f"bytes {start}-{total - 1}/{total}"
                handler.send_header("Content-Range", place)
            handler.send_header("Content-Length", str(total - start))
            for name, value in (self.headers | (headers or {})).items():
                handler.send_header(name, value)
            handler.end_headers()
            end = total if until is None else until
            for at in range(start, end, 50_000):
                handler.wfile.write(self.content[at : min(at + 50_000, end)])
                handler.wfile.flush()
                time.sleep(pause)
            if until is not None:
                handler.close_connection = True

        return step

    def status(self, code, **headers):
        """Answers without a file."""

        def step(handler):
            handler.send_response(code)
            for name, value in headers.items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        return step

    def silence(self, seconds):
        """Begins to answer and falls silent."""

        def step(handler):
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(self.content)))
            handler.end_headers()
            handler.wfile.write(self.content[:70_000])
            handler.wfile.flush()
            time.sleep(seconds)
            handler.close_connection = True

        return step
