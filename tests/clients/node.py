"""The real binary on free ports with a data directory of its own."""

import os
import re
import signal
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request


class Node:
    def __init__(self, *flags, files=None):
        self.folder = tempfile.TemporaryDirectory(prefix="turnpike-clients-")
        self.flags = flags
        for name, text in (files or {}).items():
            with open(os.path.join(self.folder.name, name), "w") as file:
                file.write(text)
        self.start()

    def start(self):
        binary = os.environ["TURNPIKE_BINARY"]
        command = [binary, "serve", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--shards", "1"]
        command += ["--data-dir", self.folder.name + "/data", "--account-id", "123456789012", *self.flags]
        self.process = subprocess.Popen(command, cwd=self.folder.name, stderr=subprocess.PIPE, text=True)
        self.log = []
        self.ready = threading.Event()
        threading.Thread(target=self.read, args=(self.process.stderr,), daemon=True).start()
        if not self.ready.wait(20):
            raise RuntimeError("the node isn't ready:\n" + "".join(self.log))
        text = "".join(self.log)
        self.control = re.search(r"control on (http://\S+)", text)[1]
        self.data = re.search(r"listening on (http://\S+)", text)[1]

    def read(self, stream):
        for line in stream:
            self.log.append(line)
            if line.startswith("ready: "):
                self.ready.set()
        self.ready.set()

    def seen(self, text, seconds=10):
        """Waits for a line of the log."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for line in self.log:
                if text in line:
                    return line
            time.sleep(0.02)
        raise AssertionError(f"no line with {text!r}:\n" + "".join(self.log))

    def ask(self, path, headers=None):
        """A request to the control listener as it stands here, without a signature of its own."""
        try:
            request = urllib.request.Request(self.control + path, headers=headers or {})
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()
