"""Coroutines in ordinary tests."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Result = TypeVar("Result")


def run_apart(
    coroutine: Coroutine[Any, Any, Result], loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
) -> Result:
    """What it returns, run in a thread of its own: a browser of an earlier test may keep a loop running in this one."""

    def run() -> Result:
        with asyncio.Runner(loop_factory=loop) as runner:
            return runner.run(coroutine)

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(run).result()
