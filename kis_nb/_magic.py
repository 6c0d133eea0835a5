"""The ``%kis`` magic of IPython: one line pulls an account, or opens the dashboard on it."""

from __future__ import annotations

import functools
import shlex
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import output_can_be_silenced

from kis_nb._cli import arguments
from kis_nb._errors import KisError

if TYPE_CHECKING:
    import argparse

    from IPython.core.interactiveshell import InteractiveShell

    from kis_nb._client import Client
    from kis_nb._dashboard.dashboard import Dashboard
    from kis_nb._frames.balance import Balance

_NAME = "kis"
_OPTIONS = ("--mgna-dvsn", "--excc-stat-cd", "--demo", "--dashboard")


class KisMagic:
    """The magic. It keeps the demo's client between lines, so that pulls can be compared."""

    def __init__(self) -> None:
        self._demo: Client | None = None
        self._parser = arguments.Parser(prog=f"%{_NAME}", hint=f"see %{_NAME}?", add_help=False)
        arguments.add_pull_arguments(self._parser)
        self._parser.add_argument("--dashboard", action="store_true")

    @output_can_be_silenced
    def kis(self, line: str) -> Balance | Dashboard:
        """Pull a KIS night futures and options account, and give its Balance.

        %kis [ACCOUNT] [--mgna-dvsn 01|02] [--excc-stat-cd 1|2] [--demo] [--dashboard]

        ACCOUNT is 12345678-03, or the name of a configured account; it may be left out when there
        is one, and in the demo. To keep the number out of the notebook leave it out, or give the
        name, and configure the account: KIS_ACCOUNTS with its KIS_APP_KEY, KIS_APP_SECRET and, if
        wished, KIS_NAME; KIS_ACCOUNTS_2 with KIS_APP_KEY_2 and so on for a second one, which has a
        key of its own; or the config file.

        --mgna-dvsn     MGNA_DVSN, 증거금구분: 01 initial 개시 (default), 02 maintenance 유지
        --excc-stat-cd  EXCC_STAT_CD, 정산상태코드: 1 settlement 정산 (default), 2 purchase 본정산
        --demo          the embedded broker's invented accounts; no key needed
        --dashboard     open the dashboard there instead, and give that

        Examples:
            %kis 12345678-03 --mgna-dvsn 02
            balance = %kis --demo
            balance.positions

        An error is shown in one line, and stops a "Run All" as any error does. The key comes from
        the environment or the config file, never from this line.
        """
        try:
            # A trailing semicolon is IPython's way to keep a result without showing it.
            args = self._parser.parse(shlex.split(line.rstrip().removesuffix(";")))
        # A ValueError is an open quotation mark.
        except (arguments.UsageProblem, ValueError) as problem:
            wrong = UsageError(f"%{_NAME}: {problem}")
        else:
            return self._pull(args)
        raise wrong

    def _pull(self, args: argparse.Namespace) -> Balance | Dashboard:
        try:
            client = self._client(demo=args.demo)
            account = args.account
            if account is None and client.demo:
                account = client.accounts[0]
            codes = {"mgna_dvsn": args.mgna_dvsn, "excc_stat_cd": args.excc_stat_cd}
            if args.dashboard:
                import kis_nb  # loads ipywidgets

                return kis_nb.dashboard(client, account=account, **codes)
            return client.balance(account, **codes)
        except ValueError as error:
            raise UsageError(f"%{_NAME}: {error}") from None
        except KisError as error:
            # IPython asks an exception to draw itself, so this one stays the error it is (for
            # `except`, for %debug, for its `partial`) and shows as one sentence.
            error._render_traceback_ = functools.partial(list, [f"%{_NAME}: {error}"])  # type: ignore[attr-defined]
            raise

    def _client(self, *, demo: bool) -> Client:
        """The default client, or the one of the demo."""
        from kis_nb._client import connect, default_client  # `%load_ext` must not wait for polars

        if not demo:
            return default_client()
        if self._demo is None:
            self._demo = connect(demo=True)
        return self._demo

    def complete(self, event: Any) -> list[str]:
        """The words that may follow: a code after its option, else the options not used yet.

        Args:
            event: IPython's, with the `line` and the `symbol` to complete.
        """
        words = event.line[: event.line.rfind(event.symbol)].split()
        for action in self._parser._actions:  # noqa: SLF001  (argparse shows them no other way)
            if words and words[-1] in action.option_strings and action.choices:
                return list(action.choices)
        return [word for word in _OPTIONS if word not in words]

    def close(self) -> None:
        """Close the demo's client. The default client stays, since it is the session's."""
        if self._demo is not None:
            self._demo.close()
            self._demo = None


def load_ipython_extension(ipython: InteractiveShell) -> None:
    """Register ``%kis`` and its completion; IPython calls it for ``%load_ext kis_nb``.

    Nothing is raised. An earlier registration is replaced.

    Args:
        ipython: the running shell.

    Returns:
        Nothing.
    """
    unload_ipython_extension(ipython)
    magic = KisMagic()
    ipython.magics_manager.register_function(magic.kis, "line", _NAME)
    ipython.strdispatchers["complete_command"].add_s(f"%{_NAME}", magic.complete)


def unload_ipython_extension(ipython: InteractiveShell) -> None:
    """Remove ``%kis`` and close its clients; IPython calls it for ``%unload_ext kis_nb``.

    Nothing is raised, also when ``%kis`` was never registered.

    Args:
        ipython: the running shell.

    Returns:
        Nothing.
    """
    registered = ipython.magics_manager.magics["line"].pop(_NAME, None)
    ipython.strdispatchers["complete_command"].strs.pop(f"%{_NAME}", None)
    magic = getattr(registered, "__self__", None)
    if isinstance(magic, KisMagic):
        magic.close()
