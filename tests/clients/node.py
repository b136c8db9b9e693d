"""The real binary on free ports with a data directory of its own."""

import os
import re
import signal
import subprocess
import tempfile
import threading


class Node:
    def __init__(self, *flags):
        self.folder = tempfile.TemporaryDirectory(prefix="turnpike-clients-")
        self.flags = flags
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
