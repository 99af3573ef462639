"""Turns what the library raises into what the caller must do.

An order is refused only where the venue answered with a code on its allow-list; everything else
that follows a send is unknown. Messages carry no key, signature or address, and no original
exception is kept as a cause: its frames hold the secrets of the request.
"""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import ccxt

from exchanges.ccxt_adapter.silences import silence_asked
from exchanges.errors import (
    BARRED_WORDS,
    AddressRefused,
    Bar,
    ClockRefused,
    CredentialRefused,
    DuplicateClientOrderId,
    InsufficientMargin,
    InvalidOrder,
    NothingToReduce,
    OrderNotFound,
    OrderOutcomeUnknown,
    OrderRejected,
    PostOnlyWouldTake,
    RateLimited,
    SettingRefused,
    UnexpectedPayload,
    VenueError,
    VenueUnavailable,
)
from exchanges.venues.profile import VenueProfile
from exchanges.venues.verdicts import Verdict

T = TypeVar("T")

logger = logging.getLogger(__name__)

# What the library's parsers raise on an answer of another shape.
PARSE_FAILURES = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
CALL_FAILURES = (ccxt.BaseError, *PARSE_FAILURES, OSError, TimeoutError, RuntimeError)

RATE_LIMIT_STATUSES = frozenset({418, 429})
FORBIDDEN, UNLAWFUL_THERE = 403, 451
UNAUTHORISED = 401
FIRST_SERVER_ERROR = 500
LONGEST_MESSAGE = 200
_CODE_KEYS = ("sCode", "retCode", "ret_code", "code", "label")
_MESSAGE_KEYS = ("sMsg", "retMsg", "ret_msg", "msg", "message", "detail")
_OF_REGION = re.compile(r"restricted location|your country|your region|jurisdiction", re.I)
_SECRETIVE = re.compile(r"origin_string\S*|signature\S*|https?://\S+|[A-Za-z0-9+/=_-]{40,}", re.I)

_REJECTIONS: Mapping[Verdict | None, type[OrderRejected]] = {
    Verdict.REJECTED: OrderRejected,
    Verdict.INSUFFICIENT_MARGIN: InsufficientMargin,
    Verdict.INVALID_ORDER: InvalidOrder,
    Verdict.WOULD_TAKE: PostOnlyWouldTake,
    Verdict.NOTHING_TO_REDUCE: NothingToReduce,
    Verdict.DUPLICATE: DuplicateClientOrderId,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the venue said in the answer that made the library raise."""

    status: int
    code: str
    message: str
    retry_after: float | None
    bar: Bar | None = None

    @classmethod
    def read(
        cls,
        status: int,
        headers: Mapping[str, str],
        payload: object,
        *,
        body: str = "",
        secrets: tuple[str, ...],
        now: datetime,
        resets_header: str = "",
        waits_header: str = "",
    ) -> Answer:
        """Read code and message of an error answer and take the secrets out of it.

        `resets_header` and `waits_header`: as in the venue's quotas.
        """
        fields = _refusal_in(payload)
        code = next((str(fields[key]) for key in _CODE_KEYS if key in fields), "")
        message = next((str(fields[key]) for key in _MESSAGE_KEYS if key in fields), "")
        for secret in filter(None, secrets):
            message = message.replace(secret, "•••")
        said = {name.lower(): value for name, value in headers.items()}
        return cls(
            status=status,
            code=code,
            message=_SECRETIVE.sub("•••", message)[:LONGEST_MESSAGE],
            retry_after=silence_asked(
                said,
                message,
                names=(resets_header, waits_header),
                is_down=status >= FIRST_SERVER_ERROR,
                now=now,
            ),
            bar=_bar(status, body),
        )


def _bar(status: int, body: str) -> Bar | None:
    """Return why nobody is served at this address, as far as status and page say so."""
    if status == UNLAWFUL_THERE or (status == FORBIDDEN and _OF_REGION.search(body)):
        return Bar.REGION
    return Bar.ADDRESS if status == FORBIDDEN else None


async def reading(profile: VenueProfile, call: Awaitable[T]) -> T:
    """Await a read or a cancel; raise only VenueError kinds."""
    try:
        return await call
    except CALL_FAILURES as error:
        _log(profile, error)
        failure = read_failure(profile, error)
        failure.symptom = health_symptom(profile, error)
    raise failure


async def submitting(profile: VenueProfile, call: Awaitable[T]) -> T:
    """Await the one request that places an order."""
    try:
        return await call
    except CALL_FAILURES as error:
        _log(profile, error)
        failure = submit_failure(profile, error)
        failure.symptom = health_symptom(profile, error)
    raise failure


async def setting(profile: VenueProfile, call: Awaitable[object]) -> None:
    """Await a change of leverage or mode; a setting that is already so counts as set."""
    failure: VenueError | None = None
    try:
        await call
    except CALL_FAILURES as error:
        if _verdict(profile, error) is not Verdict.UNCHANGED:
            failure = setting_failure(profile, error)
            failure.symptom = health_symptom(profile, error)
    if failure is not None:
        raise failure


def submit_failure(profile: VenueProfile, error: BaseException) -> VenueError:
    """Return OrderRejected on a listed code, the surely-not-placed kinds, else unknown."""
    verdict, answer = _verdict(profile, error), _answer(error)
    if answer is not None and (kind := _REJECTIONS.get(verdict)):
        return kind(f"order refused: {_said(answer)}", venue=profile.name, code=answer.code)
    certain = _certain_failure(profile, verdict, answer) or _incomplete_key(profile, error)
    return certain or OrderOutcomeUnknown(
        f"no usable answer to the order ({_symptom(error, answer)}); it is looked up by its own id",
        venue=profile.name,
        code=answer.code if answer else "",
    )


def read_failure(profile: VenueProfile, error: BaseException) -> VenueError:
    """Return the kind of a failed read or cancel."""
    verdict, answer = _verdict(profile, error), _answer(error)
    code = answer.code if answer else ""
    if verdict is Verdict.NOT_FOUND:
        return OrderNotFound(
            "the venue does not know this order now", venue=profile.name, code=code
        )
    if failure := _certain_failure(profile, verdict, answer):
        return failure
    if refused := _incomplete_key(profile, error):
        return refused
    symptom = _symptom(error, answer)
    is_down = answer.status >= FIRST_SERVER_ERROR if answer else not _is_garbage(error)
    if is_down or (isinstance(error, ccxt.OperationFailed) and not _is_garbage(error)):
        return VenueUnavailable(symptom, venue=profile.name, code=code)
    return UnexpectedPayload(f"answer not understood: {symptom}", venue=profile.name, code=code)


def _incomplete_key(profile: VenueProfile, error: BaseException) -> CredentialRefused | None:
    """Return what nothing was sent for: what the library says of a key before it asks the venue."""
    if _answer(error) is not None or not isinstance(error, ccxt.AuthenticationError):
        return None
    return CredentialRefused(
        "the API key is incomplete: check the key and enter it anew, with its secret and, where "
        "the venue has one, its passphrase",
        venue=profile.name,
    )


def setting_failure(profile: VenueProfile, error: BaseException) -> VenueError:
    """Return SettingRefused where the venue said no, else the kind of a failed read."""
    answer = _answer(error)
    failure = read_failure(profile, error)
    if answer is None or isinstance(failure, VenueUnavailable | CredentialRefused):
        return failure
    return SettingRefused(f"setting refused: {_said(answer)}", venue=profile.name, code=answer.code)


def _refusal_in(payload: object) -> Mapping[str, Any]:
    """Return what tells the refusal: the answer, or its one row where that has a code of its own.

    OKX answers "operation failed" and says in the row of the order why. Hyperliquid has words only,
    of the whole call or of the order in it, Kraken a list of them, Kraken Futures names, Deribit an
    object.
    """
    fields: Mapping[str, Any] = payload if isinstance(payload, dict) else {}
    if isinstance(fields.get("error"), list):
        return _refusal_in_list(fields["error"])
    if isinstance(fields.get("error"), dict):
        return _refusal_in_object(fields["error"])
    if "result" in fields and "serverTime" in fields:
        return _refusal_by_name(fields)
    if "status" in fields and "code" not in fields:
        return _refusal_in_words(fields)
    rows = fields.get("data")
    row = rows[0] if isinstance(rows, list) and len(rows) == 1 else None
    return row if isinstance(row, dict) and row.get("sCode", "0") != "0" else fields


def _refusal_in_list(errors: list[Any]) -> Mapping[str, Any]:
    """Return Kraken's one error, whose category and first words are its code; several have none."""
    said = "; ".join(map(str, errors))
    code = ":".join(said.split(":")[:2]) if len(errors) == 1 else ""
    return {"code": code, "msg": said}


def _refusal_in_object(error: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return Deribit's error with the reason that may stand in its data."""
    if "code" not in error:
        return {}
    data = error.get("data")
    reason = data.get("reason") if isinstance(data, dict) else None
    said = f"{error.get('message')}: {reason}" if reason else error.get("message")
    return {"code": error["code"], "msg": said}


def _refusal_by_name(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    name = fields.get("error")
    for key in ("sendStatus", "cancelStatus"):
        if isinstance(told := fields.get(key), dict):
            name = told.get("status")
    return {"code": name, "msg": name} if isinstance(name, str) else {}


def _refusal_in_words(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    status, answer = fields["status"], fields.get("response")
    if status != "ok":
        return {"code": status, "msg": answer or status}
    data = answer.get("data") if isinstance(answer, dict) else None
    rows = data.get("statuses") if isinstance(data, dict) else None
    row = rows[0] if isinstance(rows, list) and len(rows) == 1 else None
    return {"code": "err", "msg": row["error"]} if isinstance(row, dict) and "error" in row else {}


def health_symptom(profile: VenueProfile, error: BaseException) -> str | None:
    """Return what a failed call says of the venue's health, as `VenueError.symptom`.

    Ill is who does not answer, fails inside or answers what nobody understands. A refusal of the
    order is a proper answer; one of the key or of the number of requests says nothing.
    """
    answer = _answer(error)
    if answer is None:
        is_ill = isinstance(error, ccxt.NetworkError | OSError | TimeoutError) or _is_garbage(error)
        return _symptom(error, None) if is_ill else None
    if _verdict(profile, error) in (Verdict.CREDENTIAL, Verdict.RATE_LIMITED):
        return None
    is_down = isinstance(error, ccxt.ExchangeNotAvailable | ccxt.RequestTimeout)
    if answer.status >= FIRST_SERVER_ERROR or is_down or (_is_garbage(error) and not answer.code):
        return _symptom(error, answer)
    return ""


def _log(profile: VenueProfile, error: BaseException) -> None:
    """Log where an answer of another shape broke a parser: source lines only, no values."""
    if _is_garbage(error) and _answer(error) is None:
        where = "".join(traceback.format_tb(error.__traceback__)[-3:])
        logger.warning("%s: answer not understood\n%s", profile.name, where)


def _certain_failure(
    profile: VenueProfile, verdict: Verdict | None, answer: Answer | None
) -> VenueError | None:
    """Return the kinds after which surely nothing was placed, None for all else."""
    if answer is None:
        return None
    if (bar := bar_of(profile, answer)) is not None:
        return AddressRefused(
            f"{BARRED_WORDS[bar]} (HTTP {answer.status})",
            venue=profile.name,
            code=answer.code,
            retry_after=answer.retry_after,
        )
    if verdict is Verdict.RATE_LIMITED:
        return RateLimited(
            "too many requests; waiting as the venue asks",
            venue=profile.name,
            code=answer.code,
            retry_after=answer.retry_after,
        )
    if verdict is Verdict.CLOCK:
        return ClockRefused(_said(answer), venue=profile.name, code=answer.code)
    if verdict is Verdict.NOT_PLACED:
        return VenueUnavailable(_said(answer), venue=profile.name, code=answer.code)
    if verdict is Verdict.CREDENTIAL:
        return CredentialRefused(
            f"the venue refused the API key, its signature or its permissions (code {answer.code});"
            " check the key and enter it anew",
            venue=profile.name,
            code=answer.code,
        )
    return None


def bar_of(profile: VenueProfile, answer: Answer) -> Bar | None:
    """Return why the venue serves nobody here; a refused key and a ban for too much are no bar."""
    if answer.status in profile.quotas.ban_statuses and answer.bar is not Bar.REGION:
        return None
    return None if profile.verdict(answer.code, answer.message) else answer.bar


def wants_silence(profile: VenueProfile, answer: Answer) -> bool:
    """Tell whether the venue refused for too many requests, or is down and says for how long."""
    if answer.status >= FIRST_SERVER_ERROR:
        return answer.retry_after is not None
    return _verdict_of(profile, answer) is Verdict.RATE_LIMITED


def _verdict(profile: VenueProfile, error: BaseException) -> Verdict | None:
    return _verdict_of(profile, _answer(error))


def _verdict_of(profile: VenueProfile, answer: Answer | None) -> Verdict | None:
    if answer is None or answer.status >= FIRST_SERVER_ERROR:
        return None
    if listed := profile.verdict(answer.code, answer.message):
        return listed
    if answer.status in RATE_LIMIT_STATUSES or answer.bar is not None:
        return Verdict.RATE_LIMITED
    return Verdict.CREDENTIAL if answer.status == UNAUTHORISED else None


def code_of(error: BaseException) -> str:
    """Return the code of the answer that an error carries, an empty text where there is none."""
    answer = _answer(error)
    return answer.code if answer else ""


def _answer(error: BaseException) -> Answer | None:
    found = getattr(error, "answer", None)
    return found if isinstance(found, Answer) else None


def _is_garbage(error: BaseException) -> bool:
    # The exact type: a body that breaks off arrives as plain ExchangeError.
    return (
        isinstance(error, (ccxt.BadResponse, *PARSE_FAILURES)) or type(error) is ccxt.ExchangeError
    )


def _said(answer: Answer) -> str:
    return f"{answer.message or 'no reason given'} (code {answer.code or answer.status})"


def _symptom(error: BaseException, answer: Answer | None) -> str:
    """Say what happened without quoting the library, whose messages hold signed addresses."""
    if answer is not None and (answer.code or answer.message):
        return _said(answer)
    if answer is not None and answer.status >= FIRST_SERVER_ERROR:
        return f"the venue answered HTTP {answer.status}"
    if isinstance(error, ccxt.RequestTimeout | TimeoutError):
        return "the venue did not answer in time"
    if isinstance(error, ccxt.NetworkError | OSError):
        return "the connection to the venue failed"
    if _is_garbage(error):
        return "the answer was cut off or has another shape"
    return f"the request failed ({type(error).__name__})"
