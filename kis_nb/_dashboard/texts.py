"""Every sentence of the dashboard in Korean and English, except those about errors.

Field labels come from the glossary, chart labels from the charts.
"""

from __future__ import annotations

from kis_nb._choices import Lang
from kis_nb._frames.words import NO_POSITIONS, NO_PRICE, UNDERLYINGS

_TEXTS: dict[str, tuple[str, str]] = {
    # Controls.
    "account": ("계좌", "Account"),
    "mgna_dvsn": ("증거금", "Margin"),
    "excc_stat_cd": ("기준", "Basis"),
    "mgna_dvsn_name": ("증거금구분 MGNA_DVSN", "Margin code MGNA_DVSN"),
    "excc_stat_cd_name": ("정산상태코드 EXCC_STAT_CD", "Settlement code EXCC_STAT_CD"),
    "refresh": ("새로고침", "Refresh"),
    "cancel": ("취소", "Cancel"),
    "auto": ("자동", "Auto"),
    "auto_name": ("자동 새로고침", "Auto-refresh"),
    "auto_off": ("끔", "Off"),
    "auto_seconds": ("{n}초", "{n} s"),
    "auto_minutes": ("{n}분", "{n} min"),
    "language": ("언어", "Language"),
    "colors": ("손익 색", "P&L colours"),
    "colors_kr": ("▲ 빨강 ▼ 파랑", "▲ red ▼ blue"),
    "colors_us": ("▲ 초록 ▼ 빨강", "▲ green ▼ red"),
    "png": ("차트 PNG", "Charts PNG"),
    "controls": ("대시보드 조작", "Dashboard controls"),
    "no_account_option": ("계좌 없음", "No account"),
    # Switches over the charts.
    "pnl_by": ("손익 보기", "P&L by"),
    "pnl_position": ("종목별", "Position"),
    "pnl_kind": ("선물·옵션", "Futures · options"),
    "pnl_realized": ("평가·매매", "Unrealized · realized"),
    "book_by": ("보유 보기", "Book by"),
    "book_product": ("상품별", "Product"),
    "book_strike": ("행사가별", "Strike"),
    "book_measure": ("막대 길이", "Bars show"),
    "book_quantity": ("수량", "Contracts"),
    "book_value": ("평가금액", "Value"),
    "payoff_on": ("기초자산", "Underlying"),
    "payoff_expiry": ("만기", "Expiry"),
    "expiry_option": ("{day} · {n}종목", "{day} · {n} legs"),
    "expiry_option_one": ("{day} · {n}종목", "{day} · {n} leg"),
    "no_expiry_option": ("만기 없음", "No expiry"),
    **{f"payoff_{name}": label for name, label in UNDERLYINGS.items()},
    # History.
    "tab": ("화면", "Tab"),
    "tab_now": ("현재", "Now"),
    "tab_risk": ("위험", "Risk"),
    "tab_history": ("기록", "History"),
    "history": ("계좌 기록", "The account's history"),
    "history_from_to": ("{begins} ~ {ends}", "From {begins} to {ends}"),
    "history_span": ("기간", "Span"),
    "history_night": ("밤", "Night"),
    "history_week": ("5거래일", "5 days"),
    "history_year": ("1년", "Year"),
    "history_newest": ("마지막 기록 {at}", "Last kept {at}"),
    "history_loading": ("기록을 읽는 중", "Reading the history"),
    "history_begin": ("시작 시점", "Start of the attribution"),
    "history_end": ("끝 시점", "End of the attribution"),
    "history_fill": ("지난 {n}일 채우기", "Fill the last {n} days from KIS"),
    "history_filling": (
        "{account} 지난 {n}일을 KIS 장부에서 채우는 중",
        "{account}: the last {n} days are being filled from KIS's books",
    ),
    "history_filled": (
        "채운 거래일 {filled}",
        "Trading days filled: {filled}",
    ),
    "history_fill_there": ("이미 있던 날 {n}", "there before: {n}"),
    "history_fill_without": ("KIS에 자료 없는 날 {n}", "without data at KIS: {n}"),
    "history_fill_failed": ("받지 못한 날 {n}: {why}", "failed: {n}: {why}"),
    "history_not_filled": ("채우지 못했습니다: {why}", "Not filled: {why}"),
    "history_fill_cancelled": ("채우기를 취소했습니다", "Filling was cancelled"),
    "history_whole": ("전체 구간", "Whole span"),
    "history_pnl": ("구간 손익 (수수료 전)", "P&L of the span (before fees)"),
    "history_room": ("마진콜까지 최소 여유", "Lowest room before a margin call"),
    "history_room_at": ("시각", "at"),
    "history_room_unknown": ("유지증거금(02) 기록 없음", "No maintenance margin (02) was kept"),
    "history_equity": ("구간 끝 자산", "Equity at the end"),
    "history_equity_start": ("구간 시작", "at the start"),
    "history_change": ("변동", "change"),
    "history_without_foreign": ("외화예탁금 제외", "without the foreign deposit"),
    "history_fees": ("수수료", "fees"),
    "history_cash_flow": ("입출금", "cash flow"),
    "history_foreign_deposit": ("외화예탁금", "foreign deposit"),
    "history_remainder": ("나머지", "remainder"),
    "history_empty": (
        (
            "이 계좌의 기록이 아직 없습니다. 이 화면이 조회하는 잔고부터 쌓이고, 지난 날은 "
            "history.backfill(client, start), 밤새 기록은 kis-nb record로 채웁니다."
        ),
        (
            "No history of this account yet. It begins with what this dashboard pulls; past days "
            "come with history.backfill(client, start), whole nights with kis-nb record."
        ),
    ),
    "history_not_kept": ("조회한 잔고를 기록하지 못했습니다: {why}", "A pull was not kept: {why}"),
    "history_not_read": ("기록을 읽지 못했습니다: {why}", "The history was not read: {why}"),
    # Risk.
    "risk": ("야간 위험 (추정)", "The night's risk (estimated)"),
    "risk_waiting": ("잔고를 기다리는 중", "Waiting for a balance"),
    "risk_estimating": ("추정하는 중", "Estimating"),
    "risk_quoting": ("시세와 증거금 내역을 불러오는 중", "Pulling quotes and margin detail"),
    "risk_gone": (
        "커널과 연결이 끊겼습니다. 이 셀을 다시 실행하십시오.",
        "The kernel is gone. Run the cell again.",
    ),
    "risk_of": ("{at} 잔고 기준 추정", "Estimates on the balance of {at}"),
    "risk_empty": (
        "추정할 포지션이 없습니다",
        "There is no position to estimate",
    ),
    "risk_not_estimated": ("추정하지 못했습니다: {why}", "Not estimated: {why}"),
    "risk_no_quantlib": (
        "추정에는 QuantLib이 필요합니다: pip install 'kis_nb[risk]'",
        "Estimates need QuantLib: pip install 'kis_nb[risk]'",
    ),
    "risk_underlying": ("기초자산", "Underlying"),
    "risk_expiry": ("만기", "Expiry"),
    "risk_at": ("히트맵 시점", "Heat map at"),
    "risk_spot": ("기준가 변동", "Price move"),
    "risk_vol": ("변동성 상대 변화", "Relative volatility move"),
    "risk_reset": ("초기화", "Reset"),
    "risk_now": ("지금", "Now"),
    "risk_night": ("야간장 끝 {at}", "End of the night {at}"),
    "risk_at_expiry": ("만기 {day}", "Expiry {day}"),
    "risk_pnl": ("{moment}: 현재 대비 손익 (추정)", "{moment}: change from now (estimate)"),
    "risk_won": ("원", "won"),
    "risk_excess_margin": (
        "마진콜까지 남는 금액 (추정, 증거금 그대로)",
        "Left before a margin call (estimate, margin held as it is)",
    ),
    "risk_settled": ("정산 시점 자산 기준", "on equity at the last settlement"),
    "risk_margin_of": ("유지증거금은 {at} 조회", "maintenance margin as of {at}"),
    "risk_excess_margin_unknown": ("유지증거금을 모름", "The maintenance margin is not known"),
    "risk_worst": ("이 변동에서 지금 손실인 종목 (추정)", "What loses now at this move (estimate)"),
    "risk_none_lose": ("손실인 종목 없음", "No position loses"),
    "risk_greeks": ("그릭스 (추정)", "Greeks (estimated)"),
    "risk_delta": ("델타", "Delta"),
    "risk_gamma": ("감마", "Gamma"),
    "risk_vega": ("베가", "Vega"),
    "risk_theta": ("세타", "Theta"),
    "risk_delta_unit": ("1%당 원", "won for 1%"),
    "risk_gamma_unit": ("델타 변화, 1%당 원", "change of delta, won for 1%"),
    "risk_vega_unit": ("변동성 1포인트당 원", "won for 1 volatility point"),
    "risk_theta_unit": ("하루당 원", "won a day"),
    "risk_contracts": ("델타, 선물 계약", "Delta, contracts"),
    "risk_totals": ("기초자산·만기별 합계 (추정)", "By underlying and expiry (estimated)"),
    "risk_positions": ("종목별 그릭스 (추정)", "Greeks by position (estimated)"),
    "risk_positions_how": (
        "포인트는 한 계약 매수, 원은 보유 수량 기준입니다. 작은 글씨는 KIS 값입니다.",
        "Points are of one contract long, won of the position. Small figures are KIS's own.",
    ),
    "risk_kis_of": ("KIS 값은 {at}", "KIS's own as of {at}"),
    "risk_count": ("종목", "Positions"),
    "risk_left_out": ("제외", "Left out"),
    "risk_forward": ("선도가격", "Forward"),
    "risk_name": ("종목", "Position"),
    "risk_side": ("구분", "Side"),
    "risk_quantity": ("수량", "Quantity"),
    "risk_price": ("현재가", "Price"),
    "risk_volatility": ("내재변동성", "Implied volatility"),
    "risk_delta_won_unit": ("1포인트당 원", "won for 1 point"),
    "risk_gamma_won_unit": ("델타 변화, 1포인트당 원", "change of delta, won for 1 point"),
    "risk_vega_won_unit": ("변동성 1포인트당 원", "won for 1 volatility point"),
    "risk_theta_won_unit": ("하루당 원", "won a day"),
    "risk_note": ("비고", "Note"),
    # What a saved notebook shows.
    "saved": (
        "저장된 화면입니다. 이 셀을 실행하면 실시간 화면이 나옵니다.",
        "As it was saved. Run the cell for the live one.",
    ),
    "more_positions": ("외 {n}종목", "and {n} more positions"),
    # What is shown, and what is under way.
    "demo": ("가상 계좌의 예시 수치입니다", "Invented figures of an embedded broker"),
    "age_s": ("{n}초 전", "{n} s ago"),
    "age_m": ("{n}분 전", "{n} min ago"),
    "age_h": ("{n}시간 전", "{n} h ago"),
    "waiting": ("아직 불러온 잔고가 없습니다", "No balance has been pulled yet"),
    "pulling": (
        "불러오는 중 · MGNA_DVSN={margin} · EXCC_STAT_CD={basis}",
        "Pulling · MGNA_DVSN={margin} · EXCC_STAT_CD={basis}",
    ),
    "page": ("{n}페이지", "page {n}"),
    "page_of": ("{n} / {total}페이지", "page {n} of {total}"),
    "token": ("토큰 발급 대기 · {n}초", "Waiting for a token · {n} s"),
    "progress_name": ("잔고 불러오기", "Pulling the balance"),
    "stale": ("아래는 이전 조회입니다", "Below is an earlier pull"),
    "cancelled": (
        "조회를 취소했습니다. 새로고침을 누르면 다시 불러옵니다.",
        "The pull was cancelled. Refresh pulls again.",
    ),
    "backoff": (
        "오류로 자동 새로고침을 늦췄습니다 · {at}에 다시 시도",
        "Auto-refresh slowed down after an error · next try at {at}",
    ),
    "auto_stopped": (
        "자동 새로고침을 멈췄습니다 · 원인을 해결한 뒤 새로고침을 누르십시오",
        "Auto-refresh has stopped · press Refresh once the cause is gone",
    ),
    # Summary cards.
    "figures": ("계좌 요약", "Account at a glance"),
    "total_pnl": ("총손익 (평가 + 매매)", "Total P&L (unrealized + realized)"),
    "equity": ("추정예탁자산", "Estimated equity"),
    "unrealized": ("평가손익", "Unrealized"),
    "realized": ("매매손익", "Realized"),
    "margin_used": ("증거금 사용률", "Margin used"),
    "margin_of": ("증거금 {margin} / 예탁금 {deposit}", "{margin} of {deposit} deposit"),
    "excess": ("여유증거금", "Excess margin"),
    "excess_how": (
        "추가증거금까지 남은 금액 · 자산의 {percent}",
        "before a margin call · {percent} of equity",
    ),
    "excess_all": ("추가증거금까지 남은 금액", "before a margin call"),
    "excess_none": (
        "추정예탁자산이 유지증거금보다 적습니다",
        "Equity is below the maintenance margin",
    ),
    "excess_unknown": ("유지증거금(02)이 아직 없습니다", "Needs the maintenance pull (02)"),
    "excess_moment": (
        "추가증거금까지 · 유지증거금은 {at} 조회",
        "before a margin call · maintenance margin as of {at}",
    ),
    "other_views": ("다른 조회는 {at}", "other views as of {at}"),
    "now_sent": ("지금 자산 기준", "With the equity of this moment"),
    "now_estimate": (
        "지금 추정치 (정산 후 선물손익 포함)",
        "Estimate of this moment (futures' P&L since settlement added)",
    ),
    "without_price": ("{n}종목 가격 없음 제외", "{n} without a price not in it"),
    "no_price": NO_PRICE,
    "additional": ("추가증거금", "Additional margin"),
    "additional_cash": ("그중 현금 {cash}", "of it in cash {cash}"),
    "orderable": ("주문가능총액", "Orderable"),
    "withdrawable": ("인출가능총액", "Withdrawable"),
    "change": ("직전 조회 대비", "since the last pull"),
    "no_change": ("변동 없음", "unchanged"),
    "won": ("원", "KRW"),
    "call": (
        (
            "추가증거금 {amount}원이 발생했습니다. 납부하거나 포지션을 줄이지 않으면 반대매매될 수 "
            "있습니다."
        ),
        (
            "Margin call: {amount} KRW is due. Pay in or reduce positions, or the broker may close "
            "them."
        ),
    ),
    # Table.
    "positions": ("보유 포지션", "Positions"),
    "no_positions": NO_POSITIONS,
    "no_match": ("조건에 맞는 포지션이 없습니다", "No position matches"),
    "filter": ("종목 찾기", "Find a position"),
    "side_all": ("전체", "All sides"),
    "count": ("{shown} / {all}종목", "{shown} of {all}"),
    "picked": ("{n}종목 선택", "{n} selected"),
    "clear": ("선택 해제", "Clear selection"),
    "csv": ("CSV 저장", "Save CSV"),
    "excel": ("Excel 저장", "Save Excel"),
    "sum_shown": ("표시 합계", "Sum of shown"),
    # Reconciliation.
    "reconcile": ("대사: 맞는 것과 안 맞는 것", "Reconciliation: what adds up"),
    "exact": ("일치", "Exact"),
    "rounding": ("원 단위 절사", "Rounding"),
    "differs": ("불일치", "Differs"),
    "unknown": ("값 없음", "Not sent"),
    "all_exact": (
        "확인한 {n}가지가 모두 맞습니다",
        "All {n} checks add up",
    ),
    "not_exact": ("확인한 {n}가지 중 {bad}가지가 다릅니다", "{bad} of {n} checks differ"),
    "check": ("확인 항목", "Check"),
    "expected": ("계산", "Expected"),
    "found": ("잔고", "Found"),
    "difference": ("차이", "Difference"),
    "more_checks": ("외 {n}가지", "and {n} more"),
}


def say(key: str, lang: Lang, **values: object) -> str:
    """A text in this language.

    Args:
        key: one of `_TEXTS`.
        lang: of the text.
        **values: for its placeholders.
    """
    return template(key, lang).format(**values)


def template(key: str, lang: Lang) -> str:
    """A text with its placeholders left in, for the page to fill."""
    ko, en = _TEXTS[key]
    return ko if lang == "ko" else en
