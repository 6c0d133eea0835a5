"""Every error that kis_nb raises.

One root, `KisError`, so that one ``except`` covers a pull. A message says what was called, what
came back and what to do, and never holds a secret or a full account number: texts of KIS's are
scrubbed before they become part of one. An error of a pull carries what was read before it:
`KisError.pages` and `KisError.partial`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kis_nb._frames.balance import Balance


class KisError(Exception):
    """Root of all kis_nb errors.

    Attributes:
        pages: whole pages read before the error; 0 when it came before or at the first page.
        partial: a `Balance` of the rows on those pages, or None when there are none.
    """

    # Keyword arguments with defaults throughout: an exception is unpickled by calling its class
    # with `args` alone and then restoring `__dict__`, and process pools pickle errors.
    def __init__(
        self, message: str = "", *, pages: int = 0, partial: Balance | None = None
    ) -> None:
        super().__init__(message)
        self.pages = pages
        self.partial = partial


class ConfigError(KisError):
    """Credentials, accounts, host or limits are missing or do not fit; no call was made.

    Attributes: those of `KisError`.
    """


class AuthError(KisError):
    """KIS refused the app key, the secret or the token, and a retry would not help.

    Attributes:
        code: the gateway's error code, e.g. ``EGW00103``, or "".
    """

    def __init__(self, message: str = "", *, code: str = "", **progress: Any) -> None:
        super().__init__(message, **progress)
        self.code = code


class TransportError(KisError):
    """The network or the gateway failed, through all retries.

    Attributes:
        status: the HTTP status of the last answer; None when there was no answer.
        code: the gateway's error code of the last answer, or "".
    """

    def __init__(
        self, message: str = "", *, status: int | None = None, code: str = "", **progress: Any
    ) -> None:
        super().__init__(message, **progress)
        self.status = status
        self.code = code


class RateLimitError(KisError):
    """KIS answered "too many calls a second" through all retries: its gateway (``EGW00201``) or
    its ledger (``EGW00215``).

    Attributes: those of `KisError`.
    """


class ApiError(KisError):
    """KIS understood the call and refused it: unknown account, bad or missing parameter, …

    Attributes:
        rt_cd, msg_cd, msg1: the reply's own fields, blanks trimmed and secrets scrubbed.
        tr_id: the TR id that was sent.
    """

    def __init__(
        self,
        message: str = "",
        *,
        rt_cd: str = "",
        msg_cd: str = "",
        msg1: str = "",
        tr_id: str = "",
        **progress: Any,
    ) -> None:
        super().__init__(message, **progress)
        self.rt_cd = rt_cd
        self.msg_cd = msg_cd
        self.msg1 = msg1
        self.tr_id = tr_id


class DecodeError(KisError):
    """A reply came, but does not have the documented shape.

    Attributes:
        page: number of the page, from 1; None when the fault is of no single page.
    """

    def __init__(self, message: str = "", *, page: int | None = None, **progress: Any) -> None:
        super().__init__(message, **progress)
        self.page = page


class DecimalError(DecodeError):
    """A number on the wire that its column cannot hold exactly.

    Attributes:
        field: the wire field, e.g. ``evlu_amt``.
        value: what KIS sent, as text (a JSON number keeps its JSON spelling).
        page: number of the page, from 1.
        row: number of the row on that page, from 1; None in a block that is one object, such as
            ``output2``.
    """

    def __init__(
        self,
        message: str = "",
        *,
        field: str = "",
        value: str = "",
        row: int | None = None,
        **progress: Any,
    ) -> None:
        super().__init__(message, **progress)
        self.field = field
        self.value = value
        self.row = row


class PaginationError(KisError):
    """The pages do not lead to an end: a page key is missing or came before, there are more than
    1,000 pages, or the data kept changing between them.

    Attributes: those of `KisError`.
    """


class HistoryError(KisError):
    """A history cannot be read or written: the disk, a damaged file, a file of a later version, or
    balances that do not belong into it.

    Attributes: those of `KisError`.
    """


class Cancelled(KisError):
    """The caller's cancel event was set during a pull or a fetch.

    Attributes: those of `KisError`.
    """
