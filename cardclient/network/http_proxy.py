"""A tunnel through an HTTP proxy: CONNECT (RFC 9110 §9.3.6), and the login the proxy asks for with a 407.

The first request goes without a login. NTLM and Negotiate log in a connection, so their requests share one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import h11
import httpcore

from cardclient.network import schemes
from cardclient.network.credentials import Logins, ProxyLogin
from cardclient.network.failures import NetworkFailure
from cardclient.network.routes import Route
from cardclient.network.stream import Deadline, SocketStream
from cardclient.preferences import ProxyKind

LARGEST_BODY = 256 * 1024  # bytes of an explanation that is read away to keep the connection
MOST_STEPS = 4  # requests of one login; NTLM takes two
_ALLOWED = {ProxyKind.NTLM: (schemes.NTLM, schemes.NEGOTIATE)}  # whoever chose NTLM never sends a password in clear
_BY_STATUS = {403: "proxy-forbidden", 451: "proxy-forbidden", 511: "portal-answered"} | dict.fromkeys(
    (502, 503, 504), "proxy-server-unreachable"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the proxy said to one CONNECT: agreed, or which schemes it wants, and whether the connection lives on."""

    agreed: bool
    offered: tuple[str, ...] = ()
    alive: bool = False


class Connection:
    """One connection to the proxy, on which CONNECT is asked until it is agreed to."""

    def __init__(self, stream: SocketStream, target: str, seconds: float | None) -> None:
        """Take over the stream; `target` is the server as host:port, `seconds` bounds everything asked here."""
        self.stream = stream
        self._target = target
        self._deadline = Deadline(seconds)
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=64 * 1024)

    def ask(self, authorization: str | None) -> Answer:
        """Send CONNECT and read the answer; raises NetworkFailure unless it is an agreement or a 407."""
        try:
            return self._ask(authorization)
        except (TimeoutError, httpcore.TimeoutException):
            failure = NetworkFailure("proxy-timeout")
        except (httpcore.NetworkError, h11.RemoteProtocolError):
            failure = NetworkFailure("proxy-not-a-proxy")
        except NetworkFailure as problem:
            failure = problem
        self.stream.close()
        raise failure from None  # an exception of h11 could quote what was sent

    def _ask(self, authorization: str | None) -> Answer:
        headers = [("Host", self._target), ("Proxy-Connection", "keep-alive")]
        if authorization:
            headers.append(("Proxy-Authorization", authorization))
        request = h11.Request(method="CONNECT", target=self._target, headers=headers)
        sent = (self._http.send(request) or b"") + (self._http.send(h11.EndOfMessage()) or b"")
        self.stream.write(sent, self._deadline.left)
        response = self._response()
        if 200 <= response.status_code < 300:
            return Answer(agreed=True)
        if response.status_code != 407:
            known = "portal-answered" if 300 <= response.status_code < 400 else "proxy-not-a-proxy"
            raise NetworkFailure(_BY_STATUS.get(response.status_code, known))
        offered = tuple(value.decode("latin-1") for name, value in response.headers if name == b"proxy-authenticate")
        return Answer(agreed=False, offered=offered, alive=self._read_away(response))

    def _response(self) -> h11.Response:
        while True:
            event = self._event()
            if isinstance(event, h11.Response):
                return event
            if isinstance(event, h11.ConnectionClosed):
                raise NetworkFailure("proxy-not-a-proxy")

    def _read_away(self, response: h11.Response) -> bool:
        """Read the body of a refusal; False when the proxy closes, or the body has no known end."""
        names = {name for name, _ in response.headers}
        if not names & {b"content-length", b"transfer-encoding"}:
            return False
        size = 0
        while size < LARGEST_BODY:
            event = self._event()
            if isinstance(event, h11.Data):
                size += len(event.data)
            if isinstance(event, h11.EndOfMessage):
                alive = self._http.our_state is h11.DONE and self._http.their_state is h11.DONE
                if alive:
                    self._http.start_next_cycle()
                return alive
        return False

    def _event(self) -> object:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._http.receive_data(self.stream.read(65536, self._deadline.left))
        return event


class HttpTunnel:
    """Opens one tunnel; asks whoever knows a login only after the proxy has asked for one."""

    def __init__(
        self, route: Route, connect: Callable[[], Connection], logins: Logins, new_context: schemes.NewContext
    ) -> None:
        """Prepare; `connect` dials the proxy."""
        self._route = route
        self._connect = connect
        self._logins = logins
        self._new_context = new_context

    def open(self, *, session_user: bool) -> SocketStream:
        """Return the stream to the server; `session_user` allows the login of the running session (SSPI)."""
        connection = self._connect()
        answer = connection.ask(None)
        if answer.agreed:
            return connection.stream
        connection.stream.close()
        choice = self._route.choice
        scheme = schemes.choose(answer.offered, _ALLOWED.get(choice.kind, schemes.STRONGEST_FIRST))
        silent = session_user and scheme in schemes.WITHOUT_PASSWORD
        for login in self._logins.candidates(choice, self._route.login, session_user=silent):
            if stream := self._logged_in(scheme, login):
                if login:
                    self._logins.accepted(choice, login)
                return stream
        raise NetworkFailure("proxy-login-wrong")

    def _logged_in(self, scheme: str, login: ProxyLogin | None) -> SocketStream | None:
        """Log in on a connection of its own; None when the proxy refuses the login."""
        if scheme == schemes.BASIC and login:
            header = schemes.basic(login)
            connection = self._connect()
            if connection.ask(header).agreed:
                return connection.stream
            connection.stream.close()
            return None
        context = self._new_context(scheme, login, self._route.choice.host)
        return self._converse(self._connect(), schemes.Conversation(scheme, context))

    def _converse(self, connection: Connection, conversation: schemes.Conversation) -> SocketStream | None:
        offered: tuple[str, ...] = ()
        for _ in range(MOST_STEPS):
            header = conversation.answer(offered)
            if header is None:
                break
            answer = connection.ask(header)
            if answer.agreed:
                return connection.stream
            if not answer.alive:
                break
            offered = answer.offered
        connection.stream.close()
        return None
