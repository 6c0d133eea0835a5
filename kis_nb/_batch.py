"""Many pulls at once, on a thread pool for each app key."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from kis_nb._account import Account
from kis_nb._codes import View
from kis_nb._errors import Cancelled, KisError
from kis_nb._frames.balance import Balance
from kis_nb._frames.balances import Balances
from kis_nb._frames.failure import Failure
from kis_nb._widgets.progress_bar import progress_bar

# Enough to use up one key's 18 calls a second at 250 ms a response.
THREADS = 8
# Threads of all keys together; each key has at least two.
_ALL_THREADS = 64


def pull_all(
    views: Sequence[View],
    pull: Callable[[View], Balance],
    cancel: threading.Event,
    *,
    key_of: Callable[[View], Hashable] = lambda _: None,
    accounts: Iterable[Account] = (),
) -> Balances:
    """Pull every view, several at a time, with a progress bar when it takes longer than a second.

    Args:
        views: what to pull, in the order wanted.
        pull: pulls one; it must stop when `cancel` is set.
        cancel: set here when this thread is interrupted.
        key_of: the app key that a view is pulled with. Each key has threads of its own, so that one
            that must wait (for its rate limit, for a token) delays no other.
        accounts: all that the client knows, as of `Balances`.

    Returns:
        The balances in the order of `views`, and the failures.

    Raises:
        Cancelled: `cancel` was set.
    """
    keys = Counter(map(key_of, views))
    threads = max(2, min(THREADS, _ALL_THREADS // len(keys)))
    pools = {key: ThreadPoolExecutor(min(threads, n), "kis_nb") for key, n in keys.items()}
    pulls: dict[Future[Balance], View] = {
        pools[key_of(view)].submit(pull, view): view for view in views
    }
    try:
        with progress_bar(len(views), "pull") as bar:
            waiting = set(pulls)
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                bar.update(len(done))
    except BaseException:
        # Ctrl-C interrupts this thread alone: the others stop at their next wait or response.
        cancel.set()
        raise
    finally:
        # All queues are emptied before the first pool is waited for.
        for pool in pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
        for pool in pools.values():
            pool.shutdown(wait=True)
    balances: list[Balance] = []
    failures: list[Failure] = []
    for made, view in pulls.items():
        error = made.exception()
        if error is None:
            balances.append(made.result())
        elif isinstance(error, Cancelled) or not isinstance(error, KisError):
            raise error
        else:
            failures.append(Failure(*view, error))
    return Balances(balances, failures, accounts)
