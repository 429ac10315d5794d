"""Threads in which the work on spaces is done, so that the event loop only waits."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from starlette.responses import Response

from codomain.serve.spaces import Shelf, UnreadableError


class Pool:
    """Threads in which the work on spaces is done, and how long a request waits for it.

    Parameters
    ----------
    shelf : Shelf
        The spaces.
    threads : int
        How many questions are worked on at once; the others wait.
    seconds : float
        How long a request may take, waiting included.
    """

    def __init__(self, shelf: Shelf, threads: int, seconds: float) -> None:
        self._shelf, self._threads, self.seconds = shelf, ThreadPoolExecutor(threads, "answer"), seconds

    async def run(self, work: Callable[[], Response], *spaces: str) -> Response:
        """Return what the work on some spaces returns; TimeoutError when it takes too long."""

        def try_it() -> Response:
            try:
                return work()
            except UnreadableError:
                raise
            except Exception:
                for name in spaces:
                    self._shelf.check(name)  # an error while files change is the files' fault, and said so
                raise

        return await asyncio.wait_for(asyncio.get_running_loop().run_in_executor(self._threads, try_it), self.seconds)
