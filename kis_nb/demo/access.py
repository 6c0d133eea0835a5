"""Which API calls the gateway lets through: app keys, tokens, rate limits, required headers."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from kis_nb.demo.replies import Reply, error
from kis_nb.demo.tokens import Tokens

# What a company's call must have, with the code that refuses it without.
_COMPANY_HEADERS = {
    "personalseckey": "EGW00304",
    "seq_no": "EGW00209",
    "phone_number": "EGW00212",
    "ip_addr": "EGW00207",
}
_UIDS_KEPT = 10_000


@dataclass(slots=True)
class AppKey:
    """What the gateway keeps for one app key.

    Attributes:
        tokens: its tokens and their rules.
        accounts: the accounts that it may ask for.
        recent: when its calls of the last second came, in the broker's monotonic seconds.
        recent_at_ledger: the same for those that went on to the ledger.
    """

    tokens: Tokens
    accounts: frozenset[str]
    recent: deque[float] = field(default_factory=deque)
    recent_at_ledger: deque[float] = field(default_factory=deque)


class Access:
    """Checks a call before it is answered. Thread-safe.

    Args:
        keys: by app key, the first account's first.
        calls_per_second: per app key, over a sliding window; 0 for no limit.
        ledger_calls_per_second: the ledger's own limit; 0 for none.
    """

    def __init__(
        self, keys: Mapping[str, AppKey], calls_per_second: int, ledger_calls_per_second: int
    ) -> None:
        self.keys = keys
        self.first = next(iter(keys.values()))
        self.calls_per_second = calls_per_second
        self.ledger_calls_per_second = ledger_calls_per_second
        self._refused_for_rate = 0
        self._uids: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def key_of(self, app_key: object) -> AppKey:
        """What is kept for this app key; an unknown one gets the first, whose checks refuse it."""
        return self.keys.get(app_key, self.first) if isinstance(app_key, str) else self.first

    def count(self, key: AppKey, at: float) -> None:
        """Count a call that is not refused for its rate, as the token call is."""
        with self._lock:
            key.recent.append(at)

    def refuse(
        self,
        key: AppKey,
        headers: dict[str, str],
        at: float,
        tr_ids: Collection[str],
        *,
        ledger: bool = True,
    ) -> Reply | None:
        """The error that an API call at `at` (monotonic seconds) gets; None when all is well.

        `tr_ids` are those of the path that was called; `ledger` says that the call is one of the
        ledger's, as those about an account are.
        """
        refused = key.tokens.check(headers) or self._too_fast(key, at, ledger=ledger)
        if refused is not None:
            return refused
        if not headers.get("tr_id") or headers["tr_id"] not in tr_ids:
            return error("OPSQ0002")
        if headers.get("custtype") not in {"P", "B"}:
            return error("EGW00208")
        if headers["custtype"] == "B":
            missing = [code for name, code in _COMPANY_HEADERS.items() if not headers.get(name)]
            if missing:
                return error(missing[0])
            if not self._is_new(headers.get("gt_uid", "")):
                return error("EGW00101")
        return None

    def _too_fast(self, key: AppKey, at: float, *, ledger: bool) -> Reply | None:
        limits = [(key.recent, self.calls_per_second, "EGW00201")]
        if ledger:
            limits.append((key.recent_at_ledger, self.ledger_calls_per_second, "EGW00215"))
        with self._lock:
            for recent, limit, code in limits:
                while recent and at - recent[0] >= 1:
                    recent.popleft()
                if limit and len(recent) >= limit:
                    # Seen with either status on the live gateway.
                    self._refused_for_rate += 1
                    return error(code, status=500 if self._refused_for_rate % 2 else 200)
                recent.append(at)
        return None

    def _is_new(self, uid: str) -> bool:
        """Whether a company's gt_uid is of the documented length and has not come before."""
        with self._lock:
            if not 0 < len(uid) <= 32 or uid in self._uids:
                return False
            self._uids[uid] = None
            if len(self._uids) > _UIDS_KEPT:
                self._uids.popitem(last=False)
        return True
