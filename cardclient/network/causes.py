"""Finds the named failure in what httpx, httpcore or the socket layer raised; `failures` itself loads neither."""

from __future__ import annotations

from collections.abc import Iterator

import httpcore
import httpx

from cardclient.network.failures import NetworkFailure, of_socket


class ConnectFailed(httpcore.ConnectError):
    """No connection: nothing was sent. It carries the failure itself, as httpcore's pool cuts the chain of causes."""

    def __init__(self, failure: NetworkFailure) -> None:
        """Keep the failure; the text is its code."""
        super().__init__(failure.code)
        self.failure = failure


def failure_of(problem: BaseException) -> NetworkFailure:
    """Find the cause of an exception of httpx, httpcore or the socket layer."""
    chain = list(_causes(problem))
    for each in chain:
        if isinstance(each, NetworkFailure):
            return each
        if isinstance(each, ConnectFailed):
            return each.failure
    for each in chain:
        if isinstance(each, OSError) and not isinstance(each, TimeoutError):
            return NetworkFailure(of_socket(each, "server"))
    if any(isinstance(each, (TimeoutError, httpcore.TimeoutException, httpx.TimeoutException)) for each in chain):
        return NetworkFailure("server-timeout")
    unknown = any(isinstance(each, (httpcore.ConnectError, httpx.ConnectError)) for each in chain)
    return NetworkFailure(None if unknown else "connection-lost")


def _causes(problem: BaseException) -> Iterator[BaseException]:
    """Walk from an exception to its causes, at most a dozen."""
    for _ in range(12):
        yield problem
        following = problem.__cause__ or problem.__context__
        if following is None:
            return
        problem = following
