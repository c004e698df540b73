"""HTTP proxies: open, Basic, NTLM and Negotiate (pyspnego's acceptor), and ones that go wrong.

`server.names` maps host names to ports on 127.0.0.1: only the proxy knows them.
"""

from __future__ import annotations

import base64
import socket
import ssl

import spnego
from spnego.exceptions import SpnegoError

from tests.cardclient.proxies.servers import Server, pump


def read_head(source: socket.socket) -> tuple[str, dict[str, str]] | None:
    head = b""
    while b"\r\n\r\n" not in head:
        more = source.recv(1)
        if not more:
            return None
        head += more
    first, *lines = head.decode("latin-1").split("\r\n")
    return first, {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}


def refusal(status: str, *headers: str, body: bytes = b"<html>denied</html>") -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers, "Content-Type: text/html", f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


class HttpProxy:
    """Handler of one connection: reads CONNECTs until one is agreed to."""

    def __init__(self, request, _address, server) -> None:
        while (head := read_head(request)) is not None:
            target = head[0].split(" ")[1]
            server.log.append((target, "proxy-authorization" in head[1]))
            answer = self.judge(head[1].get("proxy-authorization", ""), server)
            if answer is None:
                self.join(request, target, server)
                break
            request.sendall(answer)

    def judge(self, authorization: str, server) -> bytes | None:
        """Answer None to agree."""

    def join(self, request, target: str, server) -> None:
        port = server.names.get(target.rsplit(":", 1)[0])
        if port is None:
            request.sendall(refusal("503 Service Unavailable"))
            return
        with socket.create_connection(("127.0.0.1", port)) as onward:
            request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            pump(request, onward)


class BasicProxy(HttpProxy):
    def judge(self, authorization, server):
        wanted = base64.b64encode(f"{server.username}:{server.password}".encode()).decode()
        if authorization == f"Basic {wanted}":
            return None
        return refusal("407 Proxy Authentication Required", 'Proxy-Authenticate: Basic realm="test"')


class NtlmProxy(HttpProxy):
    """Takes NTLM, or Negotiate if `server.scheme` says so; the users' file is the one in NTLM_USER_FILE."""

    def __init__(self, request, address, server) -> None:
        self.context = None
        super().__init__(request, address, server)

    def judge(self, authorization, server):
        name = server.scheme
        scheme, _, text = authorization.partition(" ")
        if scheme.lower() != name.lower():
            self.context = None
            offers = [f"Proxy-Authenticate: {each}" for each in (name, *server.also)]
            return refusal("407 Proxy Authentication Required", *offers)
        if self.context is None:
            self.context = spnego.server(protocol=name.lower())
        try:
            token = self.context.step(base64.b64decode(text))
        except SpnegoError:
            self.context = None
            return refusal("407 Proxy Authentication Required", f"Proxy-Authenticate: {name}")
        if self.context.complete:
            server.log.append(("user", self.context.client_principal))
            return None
        header = f"Proxy-Authenticate: {name} {base64.b64encode(token).decode()}"
        return refusal("407 Proxy Authentication Required", header)


class RefusingProxy(HttpProxy):
    """Answers every CONNECT with `server.status`, and Location where it redirects."""

    def judge(self, authorization, server):
        return refusal(server.status, "Location: http://portal.example.org/")


class InspectingProxy(HttpProxy):
    """Opens the TLS of its users with certificates of its own authority, and closes it again."""

    def join(self, request, target, server):
        request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(server.certificate)
        onward_context = ssl.create_default_context(cafile=server.trusts)
        host, _, _ = target.rpartition(":")
        with (
            context.wrap_socket(request, server_side=True) as user,
            socket.create_connection(("127.0.0.1", server.names[host])) as plain,
            onward_context.wrap_socket(plain, server_hostname=host) as onward,
        ):
            pump(user, onward)


class Garbage:
    """Says something that is no HTTP and no SOCKS."""

    def __init__(self, request, _address, server) -> None:
        request.recv(100)
        request.sendall(server.words)


class Hanging:
    """Takes the connection and never answers."""

    def __init__(self, request, _address, server) -> None:
        while request.recv(4096):
            pass


class Dripping:
    """Sends a byte now and then, for ever: bounds on single reads do not end it."""

    def __init__(self, request, _address, server) -> None:
        request.recv(100)
        request.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        while not server.stopped.wait(0.05):
            request.sendall(b"x")


class Resetting:
    """Hangs up on the first word."""

    def __init__(self, request, _address, server) -> None:
        request.recv(1)
        request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def http_proxy(kind=HttpProxy, **facts) -> Server:
    return Server(kind, **({"names": {}} | facts))
