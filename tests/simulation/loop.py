"""An event loop without threads, sockets or a clock of its own: time passes when the schedule says so."""

import asyncio
import heapq
import inspect
from collections import deque


class VirtualLoop(asyncio.AbstractEventLoop):
    """Runs the gateway's real tasks and timers, in the same order each time.

    `advance` only moves the clock, as if the process had been paused; `settle` lets everything run that can.
    """

    def __init__(self) -> None:
        self._now = 0.0
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._tasks: list[asyncio.Task] = []
        self._numbers = 0

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds

    def settle(self) -> None:
        """Run what is ready or due until nothing is; what a callback raised by `crash` ends it at once."""
        asyncio._set_running_loop(self)
        try:
            self._wake()
            while self._ready:
                handle = self._ready.popleft()
                if not handle.cancelled():
                    handle._run()
        finally:
            asyncio._set_running_loop(None)

    def complete(self, work):
        """Run a coroutine to its end, with everything else that is ready; return what it returns."""
        task = self.create_task(work)
        self.settle()
        if not task.done():
            self.kill()
            raise AssertionError(f"{work} waits for something that nobody does")
        return task.result()

    def kill(self) -> None:
        """End as a process ends that is killed: nothing that was begun goes on."""
        for task in self._tasks:
            task._log_destroy_pending = task._log_traceback = False
            if inspect.getcoroutinestate(task.get_coro()) == inspect.CORO_CREATED:
                task.get_coro().close()
        self._ready.clear()
        self._timers.clear()
        self._tasks.clear()

    def _wake(self) -> None:
        while self._timers and self._timers[0][0] <= self._now:
            self._ready.append(heapq.heappop(self._timers)[2])

    # --- what asyncio asks of a loop ------------------------------------------------------------

    def time(self) -> float:
        return self._now

    def call_soon(self, callback, *args, context=None):
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(self, delay, callback, *args, context=None):
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(self, when, callback, *args, context=None):
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._numbers += 1
        heapq.heappush(self._timers, (when, self._numbers, handle))
        return handle

    def create_future(self):
        return asyncio.Future(loop=self)

    def create_task(self, coro, *, name=None, context=None):
        task = asyncio.Task(coro, loop=self, name=name, context=context)
        self._tasks = [one for one in self._tasks if not one.done()] + [task]
        return task

    def _timer_handle_cancelled(self, handle) -> None:
        """Leave it: it is passed over when its time has come."""

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def call_exception_handler(self, context) -> None:
        """Say nothing: what was told to a killed process is heard by nobody; the parts are looked at one by one."""
