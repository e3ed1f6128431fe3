"""uvicorn's HTTP protocol with the patience of somebody who serves others, too."""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from gateway.api.tls import certified_until

MOST_CONNECTIONS = 256
MOST_OF_ONE_ADDRESS = 64
HEAD_WITHIN = 10.0  # s for a request's first line and headers: one that dribbles is hung up on
ANSWER_WITHIN = 30.0  # s in which a client has to take some of what waits for it


class PatientProtocol(H11Protocol):
    """One connection. Its requests say in `state` until when the client's certificate is good, if it showed one.

    `ending` there is set once the connection ends with the answer that is under way.
    """

    _ending: asyncio.Event
    _head: asyncio.TimerHandle | None = None  # runs while a request's head is awaited
    _answer: asyncio.TimerHandle | None = None  # runs while the client takes nothing of an answer

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, or hang up where there are too many."""
        super().connection_made(transport)
        self._ending = asyncio.Event()
        theirs = sum(_address(one) == _address(self) for one in self.connections)
        if len(self.connections) > MOST_CONNECTIONS or theirs > MOST_OF_ONE_ADDRESS:
            transport.abort()
            return
        tls: Any = transport.get_extra_info("ssl_object")
        until = tls and certified_until(tls)
        self.app_state = {**self.app_state, "certified_until": until, "ending": self._ending}
        self._head = self._hang_up_after(HEAD_WITHIN)

    def data_received(self, data: bytes) -> None:
        """Take a piece of a request; the first one of its head starts the time for the rest."""
        if self._head is None and self.conn.their_state is h11.IDLE:
            self._head = self._hang_up_after(HEAD_WITHIN)
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            _stop(self._head)
            self._head = None

    def shutdown(self) -> None:
        """End after the answer that is under way."""
        self._ending.set()
        super().shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        _stop(self._head)
        _stop(self._answer)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Wait for a client that doesn't read, but not for ever."""
        super().pause_writing()
        self._answer = self._hang_up_after(ANSWER_WITHIN)

    def resume_writing(self) -> None:
        """Go on: it reads."""
        _stop(self._answer)
        super().resume_writing()

    def _hang_up_after(self, seconds: float) -> asyncio.TimerHandle:
        return self.loop.call_later(seconds, self.transport.abort)


def _stop(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()


def _address(protocol: Any) -> str:
    return protocol.client[0] if protocol.client else ""
