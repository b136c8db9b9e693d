"""Backends: HTTP/1.1 over TLS with certificates of all kinds, and a scripted HTTP/2 peer that keeps what it saw."""

import hashlib
import http.server
import socket
import ssl
import subprocess
import threading
import time

import h2.config
import h2.connection
import h2.errors
import h2.events


def certificates(folder):
    """An authority, and leaves: good, expired, of another name, and one that signed itself."""
    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], cwd=folder, check=True, capture_output=True)

    def names(*all_names):
        return "subjectAltName=" + ",".join(all_names)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", 2, "-subj", "/CN=authority")
    openssl("req", "-x509", *key, "-keyout", "self.key", "-out", "self.pem", "-days", 2, "-subj", "/CN=localhost",
            "-addext", names("DNS:localhost"))
    for name, days, san in (("good", 2, names("DNS:localhost", "IP:127.0.0.1")), ("old", -1, names("DNS:localhost")),
                            ("other", 2, names("DNS:other.example"))):
        openssl("req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        (folder / f"{name}.ext").write_text(san)
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-days", days, "-extfile", f"{name}.ext", "-out", f"{name}.pem")


class Answers(http.server.BaseHTTPRequestHandler):
    """`GET /n` answers n bytes, `POST` the digest of what came."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = b"y" * int(self.path.strip("/") or 0)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        digest = hashlib.sha256()
        if self.headers.get("Transfer-Encoding"):
            while length := int(self.rfile.readline(), 16):
                digest.update(self.rfile.read(length))
                self.rfile.readline()
            self.rfile.readline()
        else:
            digest.update(self.rfile.read(int(self.headers["Content-Length"])))
        text = digest.hexdigest().encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def tls_backend(folder, name):
    """An HTTP/1.1 server with that certificate; its port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    if name:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


class Http2Backend:
    """Answers by path; `seen` keeps requests, resets and connections."""

    def __init__(self, folder=None, shy=0):
        """The first `shy` connections are closed without a word, as by a backend that is being restarted."""
        self.seen, self.rounds, self.shy = [], {}, shy
        self.context = None
        if folder:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(folder / "good.pem", folder / "good.key")
            self.context.set_alpn_protocols(["h2"])
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            stream, _ = self.listener.accept()
            self.seen.append(("connection",))
            if self.shy:
                self.shy -= 1
                stream.recv(1)
                stream.close()
                continue
            threading.Thread(target=self.serve, args=(stream,), daemon=True).start()

    def serve(self, stream):
        try:
            if self.context:
                stream = self.context.wrap_socket(stream, server_side=True)
            self.talk(stream)
        except (OSError, ssl.SSLError, h2.exceptions.ProtocolError):
            stream.close()

    def talk(self, stream):
        peer = h2.connection.H2Connection(config=h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        peer.initiate_connection()
        stream.sendall(peer.data_to_send())
        paths, digests, waiting = {}, {}, {}
        while data := stream.recv(65_536):
            for event in peer.receive_data(data):
                match event:
                    case h2.events.RequestReceived():
                        head = dict(event.headers)
                        paths[event.stream_id] = head[":path"]
                        digests[event.stream_id] = hashlib.sha256()
                        self.seen.append(("request", head[":method"], head[":path"], event.headers))
                        if self.answer(peer, stream, event.stream_id, head[":path"], waiting):
                            return
                    case h2.events.DataReceived():
                        digests[event.stream_id].update(event.data)
                        peer.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                    case h2.events.StreamEnded() if paths[event.stream_id] == "/digest":
                        self.simple(peer, event.stream_id, digests[event.stream_id].hexdigest().encode())
                    case h2.events.StreamReset():
                        waiting.pop(event.stream_id, None)
                        self.seen.append(("reset", paths.get(event.stream_id), int(event.error_code)))
            for one in list(waiting):
                self.pour(peer, one, waiting)
            stream.sendall(peer.data_to_send())

    def simple(self, peer, one, body, status="200"):
        peer.send_headers(one, [(":status", status)])
        peer.send_data(one, body, end_stream=True)

    def pour(self, peer, one, waiting):
        """Sends as much of a large body as the windows have room for."""
        while waiting[one] and (room := min(peer.local_flow_control_window(one), peer.max_outbound_frame_size)) > 0:
            piece = waiting[one][:room]
            waiting[one] = waiting[one][room:]
            peer.send_data(one, piece, end_stream=not waiting[one])
        if not waiting[one]:
            del waiting[one]

    def answer(self, peer, stream, one, path, waiting):
        """True if the connection is over."""
        again = self.rounds.get(path, 0)
        self.rounds[path] = again + 1
        if path == "/ok":
            self.simple(peer, one, b"ok")
        elif path.startswith("/bytes/"):
            waiting[one] = b"z" * int(path.rpartition("/")[2])
            peer.send_headers(one, [(":status", "200")])
        elif path == "/no-content":
            peer.send_headers(one, [(":status", "204")], end_stream=True)
        elif path == "/trailers":
            peer.send_headers(one, [(":status", "200")])
            peer.send_data(one, b"abc")
            peer.send_headers(one, [("x-sum", "1")], end_stream=True)
        elif path == "/hints":
            peer.send_headers(one, [(":status", "103"), ("link", "</a>")])
            self.simple(peer, one, b"final")
        elif path == "/early":
            self.simple(peer, one, b"early")
        elif path == "/refused":
            if again % 2:
                self.simple(peer, one, b"second")
            else:
                peer.reset_stream(one, h2.errors.ErrorCodes.REFUSED_STREAM)
        elif path == "/broken":
            peer.reset_stream(one, h2.errors.ErrorCodes.INTERNAL_ERROR)
        elif path == "/cut":
            peer.send_headers(one, [(":status", "200"), ("content-length", "10")])
            peer.send_data(one, b"half")
            stream.sendall(peer.data_to_send())
            time.sleep(0.1)
            peer.reset_stream(one, h2.errors.ErrorCodes.INTERNAL_ERROR)
        elif path == "/short":
            peer.send_headers(one, [(":status", "200"), ("content-length", "10")])
            peer.send_data(one, b"half")
            stream.sendall(peer.data_to_send())
            stream.close()
            return True
        elif path == "/last":
            self.simple(peer, one, b"bye")
            peer.close_connection(last_stream_id=one)
        elif path == "/away":
            if again % 2:
                self.simple(peer, one, b"again")
            else:
                peer.close_connection(last_stream_id=0)
                stream.sendall(peer.data_to_send())
                stream.close()
                return True
        elif path == "/gone":
            stream.close()
            return True
        return False
