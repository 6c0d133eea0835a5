"""HTTP responses as bytes, and every documented or observed error with its message."""

from __future__ import annotations

import json
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

JSON = ("Content-Type", "application/json; charset=utf-8")

_TOO_MANY = "초당 거래건수를 초과하였습니다."
_NOT_SUBSCRIBED = "overseas sub-exchange not applied for"

# code: (HTTP status, rt_cd, message). The status is the one that the live gateway was seen to use.
# Where only the meaning of a code was recorded, not the message, the meaning is given in English.
ERRORS: dict[str, tuple[int, str, str]] = {
    "90020000": (200, "1", "paper service delayed, retry"),
    "90070000": (200, "1", "paper account's ID and user differ"),
    "APAC0071": (200, "7", "account number does not exist"),
    "APAC0134": (200, "7", "account not registered for that market"),
    "APAC0489": (200, "1", "wrong kind of account for the call"),
    "APBK1271": (200, "1", "account not found: product code"),
    "APBK1617": (200, "1", "wrong kind of account for the call"),
    "APBK1631": (200, "1", "nothing found (instrument)"),
    "APMP0001": (200, "7", "은(는) 필수입력 항목입니다"),
    "EGW00001": (500, "1", "일시적 오류가 발생했습니다."),
    "EGW00002": (500, "1", "서버 에러가 발생했습니다."),
    "EGW00003": (500, "1", "no right to use the API"),
    "EGW00004": (500, "1", "no right to use the API"),
    "EGW00101": (403, "1", "유효하지 않은 요청입니다."),
    "EGW00103": (403, "1", "유효하지 않은 AppKey입니다."),
    "EGW00105": (403, "1", "유효하지 않은 AppSecret입니다."),
    "EGW00116": (403, "1", "지원하지 않는 권한부여 타입(grant_type)입니다."),
    "EGW00121": (500, "1", "유효하지 않은 token 입니다."),
    "EGW00122": (500, "1", "token not found"),
    "EGW00123": (500, "1", "기간이 만료된 token 입니다."),
    "EGW00131": (500, "1", "hashkey invalid"),
    "EGW00132": (500, "1", "Content-Type invalid"),
    "EGW00133": (403, "1", "접근토큰 발급 잠시 후 다시 시도하세요(1분당 1회)"),
    "EGW00201": (500, "1", _TOO_MANY),
    "EGW00202": (500, "1", "GW라우팅 중 오류가 발생했습니다."),
    "EGW00203": (500, "1", "OPS라우팅 중 오류가 발생했습니다."),
    "EGW00204": (500, "1", "Internal Gateway 인스턴스를 잘못 입력했습니다."),
    "EGW00205": (500, "1", "credentials_type이 유효하지 않습니다.(Bearer)"),
    "EGW00206": (500, "1", "no right to use the API"),
    "EGW00207": (500, "1", "IP 주소가 없거나 유효하지 않습니다."),
    "EGW00208": (500, "1", "고객유형(custtype)이 유효하지 않습니다."),
    "EGW00209": (500, "1", "일련번호(seq_no)가 유효하지 않습니다."),
    "EGW00212": (500, "1", "휴대전화번호(personalphone)는 필수 입니다."),
    "EGW00213": (500, "1", "TR has no paper version"),
    # The ledger's limit comes with the gateway's message.
    "EGW00215": (500, "1", _TOO_MANY),
    "EGW00300": (500, "1", "Gateway 라우팅 오류가 발생했습니다."),
    "EGW00301": (500, "1", "gateway timeout"),
    "EGW00302": (500, "1", "gateway timeout"),
    "EGW00303": (500, "1", "IP address"),
    "EGW00304": (500, "1", "고객식별키(법인 personalSeckey, 개인 appSecret)가 유효하지 않습니다."),
    "EGW00310": (500, "1", "tr_id invalid"),
    "EGW00316": (500, "1", "조회 처리 중 오류 발생하였습니다. 재 조회 수행 부탁드립니다."),
    "EGW00356": (500, "1", "tr_id invalid"),
    "EGW00550": (500, "1", _NOT_SUBSCRIBED),
    "EGW00551": (500, "1", _NOT_SUBSCRIBED),
    "EGW00552": (500, "1", _NOT_SUBSCRIBED),
    "EGW00553": (500, "1", _NOT_SUBSCRIBED),
    "EGW02004": (500, "1", "paper key at the real host"),
    "EGW02006": (500, "1", "TR has no paper version"),
    "EGW02007": (500, "1", "real key at the paper host"),
    "IGW00002": (500, "1", "account at authentication differs"),
    "KIOK0560": (200, "7", "조회할 내용이 없습니다"),
    "OPSQ0002": (500, "1", "없는 서비스 코드 입니다."),
    "OPSQ0003": (500, "1", "호출 오류 입니다."),
    **{f"OPSQ{number:04}": (500, "1", "MCI post-processing") for number in range(4, 12)},
    "OPSQ1002": (200, "1", "SESSION FULL"),
    "OPSQ2000": (200, "2", "ERROR : INPUT INVALID_CHECK_ACNO"),
    "OPSQ2001": (200, "2", "ERROR : INPUT FIELD NOT FOUND"),
    "SKFT2101": (200, "1", "exactly one record"),
    "SYDB0050": (200, "7", "조회이후에 자료가 변경되었습니다.(다시 조회하세요)"),
}


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP response. `headers` come without Content-Length, Date and Connection.

    `outcome` is ``ok``, an error code or a status as text: what the broker notes of the call.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    outcome: str = "ok"

    def encode(self, *, length: int | None = None, keep: bool = True, bare: bool = False) -> bytes:
        """The whole response as bytes.

        `length` is sent as Content-Length in place of the body's own; `keep` leaves the connection
        open; `bare` leaves the body out, as for HEAD.
        """
        phrase = HTTPStatus(self.status).phrase
        lines = [f"HTTP/1.1 {self.status} {phrase}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        lines.append(f"Date: {formatdate(usegmt=True)}")
        lines.append(f"Content-Length: {len(self.body) if length is None else length}")
        lines.append(f"Connection: {'keep-alive' if keep else 'close'}")
        head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        return head if bare else head + self.body


def dump(body: Any) -> bytes:
    """JSON as the gateway writes it: UTF-8, Korean unescaped, no blanks."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def json_reply(status: int, body: Any, *headers: tuple[str, str], outcome: str = "ok") -> Reply:
    """A JSON response."""
    return Reply(status, (JSON, *headers), dump(body), outcome)


def error(code: str, *, status: int | None = None, about: str = "") -> Reply:
    """An API call's error: `rt_cd`, `msg_cd`, `msg1` (after `about`, a parameter's name).

    `status` in place of the usual HTTP status.
    """
    usual, rt_cd, message = ERRORS[code]
    body = {"rt_cd": rt_cd, "msg_cd": code, "msg1": about + message}
    return json_reply(usual if status is None else status, body, outcome=code)


def token_error(code: str) -> Reply:
    """An error of the token call, which has no `rt_cd`."""
    status, _, message = ERRORS[code]
    return json_reply(status, {"error_description": message, "error_code": code}, outcome=code)
