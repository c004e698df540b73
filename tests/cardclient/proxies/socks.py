"""SOCKS4a and SOCKS5 proxies that resolve names themselves, and refuse names that they do not know."""

from __future__ import annotations

import socket
import struct

from tests.cardclient.proxies.servers import Server, exactly, pump


class Socks4Proxy:
    def __init__(self, request, _address, server) -> None:
        version, _, _, marker = struct.unpack("!BBH4s", exactly(request, 8))
        assert (version, marker) == (4, b"\0\0\0\1"), "the name is left to the proxy (SOCKS4a)"
        user, host = until_zero(request), until_zero(request)
        server.log.append((host, user))
        if server.reply != 0x5A or host not in server.names:
            request.sendall(struct.pack("!BBH4s", 0, server.reply if server.reply != 0x5A else 0x5B, 0, b"\0" * 4))
            return
        with socket.create_connection(("127.0.0.1", server.names[host])) as onward:
            request.sendall(struct.pack("!BBH4s", 0, 0x5A, 0, b"\0" * 4))
            pump(request, onward)


class Socks5Proxy:
    """Wants name and password when `server.username` is set."""

    def __init__(self, request, _address, server) -> None:
        _, count = exactly(request, 2)
        methods = exactly(request, count)
        wanted = 2 if server.username else 0
        if wanted not in methods:
            request.sendall(b"\x05\xff")
            return
        request.sendall(bytes([5, wanted]))
        if wanted == 2 and not self.knows(request, server):
            return
        host, port = self.target(request)
        server.log.append((host, port))
        reply = 4 if host not in server.names else server.reply
        answer = struct.pack("!BBBB4sH", 5, reply, 0, 1, b"\0" * 4, 0)
        if reply:
            request.sendall(answer)
            return
        with socket.create_connection(("127.0.0.1", server.names[host])) as onward:
            request.sendall(answer)
            pump(request, onward)

    def knows(self, request, server) -> bool:
        _, size = exactly(request, 2)
        user = exactly(request, size).decode()
        password = exactly(request, exactly(request, 1)[0]).decode()
        right = (user, password) == (server.username, server.password)
        request.sendall(b"\x01\x00" if right else b"\x01\x01")
        server.log.append(("login", user))
        return right

    def target(self, request) -> tuple[str, int]:
        _, _, _, kind = exactly(request, 4)
        assert kind == 3, "the name is left to the proxy"
        host = exactly(request, exactly(request, 1)[0]).decode()
        return host, struct.unpack("!H", exactly(request, 2))[0]


def until_zero(request) -> str:
    text = b""
    while (one := exactly(request, 1)) != b"\0":
        text += one
    return text.decode()


def socks4_proxy(**facts) -> Server:
    return Server(Socks4Proxy, **({"names": {}, "reply": 0x5A} | facts))


def socks5_proxy(**facts) -> Server:
    return Server(Socks5Proxy, **({"names": {}, "reply": 0, "username": "", "password": ""} | facts))
