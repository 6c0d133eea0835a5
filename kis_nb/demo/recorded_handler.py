"""The broker's balance responses rewritten into a recorded form (`kis_nb.demo.form`).

The figures stay the broker's. A view that was refused when the report was made is refused.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kis_nb._schema.night_balance import NIGHT_BALANCE
from kis_nb.demo.form import Form, Place, RecordedView
from kis_nb.demo.page_keys import from_recorded, last_key, next_key, to_recorded
from kis_nb.demo.pages import Pages
from kis_nb.demo.replies import ERRORS, Reply, dump
from kis_nb.demo.style import Style, expand

_FK, _NK = (name.lower() for name in NIGHT_BALANCE.cursors)
_PLACES: dict[str, Place] = {"F": "first", "M": "middle", "E": "last", "D": "only"}
# A pull ends at both, so either may lend the other its tr_cont.
_OTHER_END: dict[Place, Place] = {"only": "last", "last": "only"}
# Bodies that are no JSON object, by their names in a report.
_OTHER_BODIES = {
    "empty": b"",
    "HTML": b"<html><body>Service Unavailable</body></html>",
    "no JSON": b"Service Unavailable",
    "JSON, no object": b"[]",
}


class RecordedFormHandler:
    """Answers balance calls as `Pages` does, in a recorded form."""

    def __init__(self, handler: Pages, form: Form) -> None:
        self._handler = handler
        self._form = form

    @property
    def about_account(self) -> bool:
        """Always: it answers the balance call."""
        return self._handler.about_account

    def page_number(self, headers: dict[str, str], query: dict[str, str]) -> int:
        """The page that a call asks for, from 1."""
        return self._handler.page_number(headers, self._translated(query))

    def answer(
        self, headers: dict[str, str], query: dict[str, str], now: float, *bound: Any
    ) -> Reply:
        """The page in the recorded form, or the handler's error. Arguments as there."""
        translated = self._translated(query)
        reply = self._handler.answer(headers, translated, now, *bound)
        view = self._form.view(query)
        if reply.outcome != "ok" or view is None:
            return reply
        if not view.pages:
            return reply if view.refused is None else _refusal(view.refused)
        # The two TR ids send different fields of the same balance: both together have most.
        other = NIGHT_BALANCE.tr_ids[headers["tr_id"] == NIGHT_BALANCE.tr_ids[0]]
        more = self._handler.answer(headers | {"tr_id": other}, translated, now, *bound)
        return _rewrite(reply, view, json.loads(more.body))

    def _translated(self, query: dict[str, str]) -> dict[str, str]:
        """The query with its page keys as the handler issued them."""
        view = self._form.view(query)
        if view is None or not view.pages or not query.get(_NK.upper(), "").strip():
            return query
        codes = ("CANO", "ACNT_PRDT_CD", "MGNA_DVSN", "EXCC_STAT_CD")
        search = "".join(f"{query.get(name, '')}^" for name in codes)
        patterns = view.nearest("first").get("page_keys", {})
        given = query.get(_FK.upper(), "").strip()
        # Compared in the recorded form, since not every form can be translated back.
        unchanged = to_recorded(search, str(patterns.get(_FK, ""))).strip() == given
        key = from_recorded(query[_NK.upper()].strip(), str(patterns.get(_NK, "")))
        return query | {_FK.upper(): search if unchanged else given, _NK.upper(): key}


def _rewrite(reply: Reply, view: RecordedView, more: Mapping[str, Any]) -> Reply:
    """A page in the form of the recorded one at its place; `more` has the other TR id's fields."""
    sent = dict(reply.headers)
    place = _PLACES[sent["tr_cont"]]
    page = view.nearest(place)
    body = json.loads(reply.body)
    patterns = page.get("page_keys", {})
    following = str(body[_NK]).strip()
    summary = view.summary.write({**more.get("output2", {}), **body["output2"]}, 0)
    rows = body["output1"]
    full = [{**other, **row} for other, row in zip(more.get("output1", rows), rows, strict=False)]
    if not following:
        end = view.pages.get("last", view.pages.get("only"))
        key = last_key((end.get("page_keys", {}) if end else patterns).get(_NK, ""))
    else:
        key = next_key(following, str(patterns.get(_NK, "")))
    values: dict[str, Any] = body | {
        _FK: to_recorded(str(body[_FK]).strip(), str(patterns.get(_FK, ""))),
        _NK: key,
        "output1": [view.rows_block.write(row, at) for at, row in enumerate(full)]
        if view.rows_block.order
        else rows,
        "output2": [summary] if view.summary.is_list else summary,
        "msg1": Style.of({str(page.get("msg1", "")): 1}).write(body["msg1"]),
    }
    code = str(page.get("msg_cd", ""))
    if re.fullmatch(r"[A-Z0-9]+", code, re.ASCII) and (
        rows or not page.get("output1", {}).get("rows")
    ):
        values["msg_cd"] = code
    same = view.pages.get(place, view.pages.get(_OTHER_END.get(place, place)))
    return replace(
        reply,
        headers=_headers(sent, page, same),
        body=_dump({name: values[name] for name in page["order"] if name in values}),
    )


def _headers(
    sent: Mapping[str, str], page: Mapping[str, Any], same: Mapping[str, Any] | None
) -> tuple[tuple[str, str], ...]:
    """The recorded headers as they were spelled, with tr_cont from `same`, a page at this place."""
    spelled = {name.lower(): name for name in page.get("headers", ())}
    # The live gateway gives each response a gt_uid, whether it was sent one or not.
    values = {"gt_uid": secrets.token_hex(16)} | {k.lower(): v for k, v in sent.items()}
    if same is not None and same.get("tr_cont") is not None:
        values["tr_cont"] = expand_tr_cont(str(same["tr_cont"]))
    return tuple((name, values[low]) for low, name in spelled.items() if low in values)


def expand_tr_cont(recorded: str) -> str:
    """The header tr_cont from a report: the letter itself, or a text of its pattern."""
    return recorded if re.fullmatch(r"[A-Z]?", recorded) else expand(recorded)


def _refusal(page: Mapping[str, Any]) -> Reply:
    """The recorded error of a view."""
    code = str(page.get("msg_cd", ""))
    message = ERRORS[code][2] if code in ERRORS else "조회할 수 없습니다"
    values = {
        "rt_cd": str(page.get("rt_cd", "")),
        "msg_cd": code,
        "error_code": code,
        "msg1": Style.of({str(page.get("msg1", "")): 1}).write(message),
        "error_description": message,
    }
    body = {name: values[name] for name in page.get("order", ()) if name in values}
    kind = str(page.get("body", "JSON"))
    if kind == "no strict JSON":
        loose = f'{{rt_cd:"1",msg_cd:"{code}",msg1:"{message}"}}' if code else '{"rt_cd":'
        content = loose.encode()
    else:
        content = _OTHER_BODIES[kind] if kind in _OTHER_BODIES else dump(body)
    media = "text/html" if kind == "HTML" else "application/json"
    sent = {"Content-Type": f"{media}; charset=utf-8", "tr_cont": ""}
    status = int(page.get("status", 500))
    return Reply(status, _headers(sent, page, page), content, code or str(status))


def _dump(body: Any) -> bytes:
    """JSON, with the texts that `Style.write` marked as numbers (`BARE`) without their quotes."""
    return re.sub(rb'"\\u0000([-+.0-9]+)"', rb"\1", dump(body))
