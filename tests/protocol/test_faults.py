"""What an error of the library proves, by venue and code, without a network."""

from __future__ import annotations

import asyncio
import json
import traceback
from datetime import UTC, datetime

import ccxt
import pytest

from exchanges.ccxt_adapter.faults import (
    Answer,
    read_failure,
    setting_failure,
    submit_failure,
    submitting,
)
from exchanges.errors import (
    AddressRefused,
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
from exchanges.venues import PROFILES

pytestmark = pytest.mark.protocol

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECRET = "s3cr3t-of-forty-and-more-characters-abcdefghij"


def answered(
    kind: type[ccxt.BaseError], code: str, message: str = "said so", status: int = 400
) -> ccxt.BaseError:
    """Return an error as the client raises it: with the venue's answer."""
    error = kind(f"venue {message}")
    error.answer = Answer(status=status, code=code, message=message, retry_after=None)
    return error


@pytest.mark.parametrize(
    ("venue", "status", "body", "kind", "words"),
    [
        ("binanceusdm", 403, "<html>Request blocked</html>", AddressRefused, "this address (HTTP"),
        ("binanceusdm", 403, '{"code":-2015,"msg":"no"}', CredentialRefused, "refused the API key"),
        ("binanceusdm", 418, '{"code":-1003,"msg":"banned"}', RateLimited, "waiting as the venue"),
        ("binance", 451, '{"code":0,"msg":"restricted location"}', AddressRefused, "the region of"),
        ("bybit", 403, "<html>block access from your country</html>", AddressRefused, "the region"),
        ("bybit", 403, "access too frequent", RateLimited, "waiting as the venue asks"),
        ("okx", 403, "", AddressRefused, "this address (HTTP 403)"),
    ],
)
def test_who_is_not_served_here_is_told_from_a_refused_key_and_from_a_ban(
    venue: str, status: int, body: str, kind: type[VenueError], words: str
) -> None:
    payload = json.loads(body) if body.startswith("{") else None
    error = ccxt.ExchangeError("refused")
    error.answer = Answer.read(status, {}, payload, body=body, secrets=(), now=NOON)

    for failure in (
        submit_failure(PROFILES[venue], error),
        read_failure(PROFILES[venue], error),
    ):
        assert type(failure) is kind
        assert words in failure.detail


@pytest.mark.parametrize(
    ("venue", "code", "message", "expected"),
    [
        ("binance", "-2010", "Account has insufficient balance.", InsufficientMargin),
        ("binance", "-2010", "Duplicate order sent.", DuplicateClientOrderId),
        ("binance", "-2010", "Order would immediately match and take.", PostOnlyWouldTake),
        ("binance", "-1013", "Filter failure: LOT_SIZE", InvalidOrder),
        ("binanceusdm", "-2019", "Margin is insufficient.", InsufficientMargin),
        ("binanceusdm", "-4164", "Order's notional must be no smaller.", InvalidOrder),
        ("binanceusdm", "-2022", "ReduceOnly Order is rejected.", NothingToReduce),
        ("binanceusdm", "-4116", "ClientOrderId is duplicated.", DuplicateClientOrderId),
        ("binanceusdm", "-1021", "Timestamp is outside of the recvWindow.", ClockRefused),
        ("binanceusdm", "-2015", "Invalid API-key, IP, or permissions.", CredentialRefused),
        ("binanceusdm", "-1015", "Too many new orders.", RateLimited),
        ("bybit", "110007", "ab not enough for new order", InsufficientMargin),
        ("bybit", "110017", "orderQty will be truncated to zero", NothingToReduce),
        ("bybit", "110072", "OrderLinkedID is duplicate", DuplicateClientOrderId),
        ("bybit", "10002", "invalid request, check your timestamp", ClockRefused),
        ("bybit", "10006", "Too many visits!", RateLimited),
        ("bybit", "10003", "API key is invalid.", CredentialRefused),
        ("okx", "51008", "Insufficient USDT margin in account", InsufficientMargin),
        ("okx", "51008_1001", "Insufficient USDT margin in account", InsufficientMargin),
        ("okx", "51121", "Must be a multiple of the lot size.", InvalidOrder),
        ("okx", "51170", "Can't be the same trading direction", NothingToReduce),
        ("okx", "51016", "Client order ID already exists.", DuplicateClientOrderId),
        ("okx", "50037", "Order expired.", ClockRefused),
        ("okx", "51030", "Funding fee is being settled.", VenueUnavailable),
        ("okx", "50011", "Too Many Requests", RateLimited),
        ("okx", "50110", "Your IP is not in the whitelist.", CredentialRefused),
        ("bitget", "40762", "The order amount exceeds the balance", InsufficientMargin),
        ("bitget", "22002", "No position to close", NothingToReduce),
        ("bitget", "40786", "Duplicate clientOid", DuplicateClientOrderId),
        ("bitget", "45115", "The price you enter should be a multiple of 0.1", InvalidOrder),
        ("bitget", "40763", "Exceeds position tier limit", OrderRejected),
        ("bitget", "40008", "Request timestamp expired", ClockRefused),
        ("bitget", "429", "Too Many Requests", RateLimited),
        ("bitget", "40018", "Invalid IP", CredentialRefused),
        ("bitget", "40085", "You are in Unified Account mode", CredentialRefused),
        ("kraken", "EOrder:Insufficient funds", "EOrder:Insufficient funds", InsufficientMargin),
        ("kraken", "EOrder:Cost minimum not met", "EOrder:Cost minimum not met", InvalidOrder),
        ("kraken", "EGeneral:Invalid arguments", "EGeneral:Invalid arguments:volume", InvalidOrder),
        (
            "kraken",
            "EGeneral:Invalid arguments",
            "EGeneral:Invalid arguments:cl_ord_id",
            DuplicateClientOrderId,
        ),
        ("kraken", "EOrder:Post only order", "EOrder:Post only order", PostOnlyWouldTake),
        ("kraken", "EAPI:Invalid nonce", "EAPI:Invalid nonce", ClockRefused),
        ("kraken", "EOrder:Rate limit exceeded", "EOrder:Rate limit exceeded", RateLimited),
        ("kraken", "EAPI:Rate limit exceeded", "EAPI:Rate limit exceeded", RateLimited),
        ("kraken", "EGeneral:Permission denied", "EGeneral:Permission denied", CredentialRefused),
        ("kraken", "EService:Market in cancel_only mode", "in cancel_only mode", OrderRejected),
        ("kraken", "EAccount:Invalid permissions", "USDT trading restricted", OrderRejected),
        ("gate", "INSUFFICIENT_AVAILABLE", "balance is not enough", InsufficientMargin),
        ("gate", "REDUCE_EXCEEDED", "empty position", NothingToReduce),
        ("gate", "ORDER_POC_IMMEDIATE", "order price while counter price", PostOnlyWouldTake),
        ("gate", "ORDER_EXISTS", "Order already exists", DuplicateClientOrderId),
        ("gate", "INVALID_PARAM_VALUE", "invalid argument: size", InvalidOrder),
        ("gate", "RISK_LIMIT_EXCEEDED", "Risk limit exceeded", OrderRejected),
        ("gate", "REQUEST_EXPIRED", "gap between request Timestamp and", ClockRefused),
        ("gate", "TOO_MANY_REQUESTS", "Request Rate limit Exceeded", RateLimited),
        ("gate", "READ_ONLY", "API key is read-only", CredentialRefused),
        ("krakenfutures", "insufficientAvailableFunds", "", InsufficientMargin),
        ("krakenfutures", "wouldNotReducePosition", "", NothingToReduce),
        ("krakenfutures", "clientOrderIdAlreadyExist", "", DuplicateClientOrderId),
        ("krakenfutures", "invalidSize", "", InvalidOrder),
        ("krakenfutures", "outsidePriceCollar", "", OrderRejected),
        ("krakenfutures", "wouldProcessAfterSpecifiedTime", "", ClockRefused),
        ("krakenfutures", "apiLimitExceeded", "", RateLimited),
        ("krakenfutures", "authenticationError", "", CredentialRefused),
        ("deribit", "10009", "not_enough_funds", InsufficientMargin),
        ("deribit", "10043", "price_wrong_tick", InvalidOrder),
        ("deribit", "10007", "price_too_high 61000.5", OrderRejected),
        ("deribit", "11030", "other_reject: anything", OrderRejected),
        ("deribit", "11030", "other_reject: nothing to reduce", NothingToReduce),
        ("deribit", "11054", "post_only_reject", PostOnlyWouldTake),
        ("deribit", "10028", "too_many_requests", RateLimited),
        ("deribit", "13009", "unauthorized", CredentialRefused),
        ("kucoin", "300003", "Balance not enough", InsufficientMargin),
        ("kucoin", "400100", "account.available.amount", InsufficientMargin),
        ("kucoin", "300009", "No open positions to close.", NothingToReduce),
        ("kucoin", "300018", "clientOid parameter repeated", DuplicateClientOrderId),
        ("kucoin", "400100", "order.clientOidDuplicated", DuplicateClientOrderId),
        ("kucoin", "100001", "There are invalid parameters", InvalidOrder),
        ("kucoin", "300005", "exceeds the risk limit", OrderRejected),
        ("kucoin", "330005", "The order's margin mode does not match", OrderRejected),
        ("kucoin", "300002", "Order placement is suspended", VenueUnavailable),
        ("kucoin", "400002", "Invalid KC-API-TIMESTAMP", ClockRefused),
        ("kucoin", "429000", "Too Many Requests", RateLimited),
        ("kucoin", "400007", "Access denied", CredentialRefused),
        ("kucoin", "411100", "User is frozen", CredentialRefused),
    ],
)
def test_listed_code_is_certain(
    venue: str, code: str, message: str, expected: type[VenueError]
) -> None:
    failure = submit_failure(PROFILES[venue], answered(ccxt.ExchangeError, code, message))

    assert type(failure) is expected
    assert failure.code == code


@pytest.mark.parametrize(
    ("venue", "code", "message"),
    [
        ("binanceusdm", "-4140", "Invalid symbol status for opening position."),
        ("binanceusdm", "-4108", "Symbol is in delivering, delivered, settling or closed."),
        ("bybit", "110023", "Currently you can only reduce your positions on this contract."),
        ("bybit", "110066", "Trading is currently not allowed."),
        ("bybit", "110074", "This contract is not live."),
        ("okx", "51022", "Contract suspended."),
        ("okx", "51027", "Contract expired."),
        ("gate", "CONTRACT_IN_DELISTING", "only reduce-only order or close order is allowed"),
        ("gate", "TRADE_RESTRICTED", "Trading restricted"),
        ("kraken", "EService:Market in cancel_only mode", "Market in cancel_only mode"),
        ("kraken", "EService:Market in post_only mode", "Market in post_only mode"),
        ("krakenfutures", "marketSuspended", ""),
        ("krakenfutures", "marketInactive", ""),
        ("krakenfutures", "marketIsPostOnly", ""),
        ("hyperliquid", "err", "Trading is halted."),
        ("kucoin", "300002", "Order placement is suspended"),
    ],
)
def test_an_order_to_a_market_that_is_halted_or_only_closes_was_surely_not_placed(
    venue: str, code: str, message: str
) -> None:
    """Certain, so that no look-up is waited for: the entry ends and nothing is sent again."""
    failure = submit_failure(PROFILES[venue], answered(ccxt.ExchangeError, code, message))

    assert isinstance(failure, OrderRejected | VenueUnavailable)
    assert not isinstance(failure, RateLimited)


@pytest.mark.parametrize(
    ("venue", "error"),
    [
        ("binanceusdm", ccxt.RequestTimeout("binanceusdm POST https://x/?signature=ab")),
        ("binanceusdm", ccxt.ExchangeNotAvailable("connection lost")),
        ("binanceusdm", ccxt.ExchangeError("body cut off")),
        ("binanceusdm", ccxt.BadResponse("html")),
        # Without an answer of the venue even a telling exception proves nothing.
        ("binanceusdm", ccxt.InsufficientFunds("the library thinks so")),
        ("binanceusdm", answered(ccxt.OperationFailed, "-1000")),
        ("binanceusdm", answered(ccxt.RequestTimeout, "-1007")),
        ("binanceusdm", answered(ccxt.OperationFailed, "-1008", status=503)),
        ("binanceusdm", answered(ccxt.InsufficientFunds, "-2019", status=502)),
        ("binanceusdm", answered(ccxt.InvalidOrder, "-9999")),
        ("bybit", answered(ccxt.ExchangeError, "10016", "Internal server error", 200)),
        ("bybit", answered(ccxt.ExchangeError, "10000", "Server Timeout", 200)),
        # "Operation failed" without a row that says why.
        ("okx", answered(ccxt.ExchangeError, "1", "Operation failed.", 200)),
        ("okx", answered(ccxt.RequestTimeout, "50004", "API endpoint request timeout.")),
        ("okx", answered(ccxt.ExchangeError, "51149", "Order timed out.", 500)),
        ("okx", answered(ccxt.ExchangeError, "51054", "Request timed out.", 500)),
        ("okx", answered(ccxt.ExchangeError, "50026", "System error.", 500)),
        ("bitget", answered(ccxt.ExchangeError, "40015", "System is abnormal")),
        ("bitget", answered(ccxt.ExchangeError, "40725", "service return an error")),
        ("bitget", answered(ccxt.ExchangeError, "43002", "Pending order failed")),
        ("bitget", answered(ccxt.ExchangeError, "45001", "Unknown error")),
        ("gate", answered(ccxt.ExchangeNotAvailable, "SERVER_ERROR", "Internal server error")),
        ("gate", answered(ccxt.ExchangeNotAvailable, "TOO_BUSY", "Server is too busy")),
        ("gate", answered(ccxt.ExchangeError, "NO_LABEL", "none of Gate's")),
        # A code that counts only where the answer is the venue's own.
        ("bitget", answered(ccxt.ExchangeError, "40762", "balance", 502)),
        # Whether the engine was reached, these do not tell.
        ("kraken", answered(ccxt.ExchangeError, "EService:Deadline elapsed", status=200)),
        ("kraken", answered(ccxt.ExchangeNotAvailable, "EService:Unavailable", status=200)),
        ("kraken", answered(ccxt.ExchangeNotAvailable, "EService:Busy", status=200)),
        ("kraken", answered(ccxt.ExchangeNotAvailable, "EGeneral:Internal error", status=200)),
        ("kraken", answered(ccxt.ExchangeError, "ETrade:Invalid request", status=200)),
        ("krakenfutures", answered(ccxt.ExchangeError, "Server Error")),
        ("krakenfutures", answered(ccxt.ExchangeError, "marketUnavailable")),
        ("krakenfutures", answered(ccxt.ExchangeError, "unknownError")),
        ("krakenfutures", answered(ccxt.ExchangeError, "cancelled")),
        ("deribit", answered(ccxt.ExchangeNotAvailable, "10040", "retry")),
        ("deribit", answered(ccxt.OnMaintenance, "10041", "settlement_in_progress")),
        ("deribit", answered(ccxt.DDoSProtection, "10047", "matching_engine_queue_full")),
        ("deribit", answered(ccxt.ExchangeError, "13888", "timed_out")),
        ("deribit", answered(ccxt.BadRequest, "-32602", "Invalid params")),
        ("kucoin", answered(ccxt.ExchangeError, "500000", "Internal Server Error", 200)),
        ("kucoin", answered(ccxt.ExchangeError, "504000", "Timeout", 504)),
        ("kucoin", answered(ccxt.ExchangeError, "300010", "unknown", 200)),
        ("kucoin", answered(ccxt.ExchangeError, "100002", "systemConfigError", 200)),
        ("kucoin", answered(ccxt.InsufficientFunds, "300003", "Balance not enough", 502)),
        ("bybit", KeyError("orderId")),
        ("bybit", TimeoutError()),
    ],
)
def test_everything_else_after_a_send_is_unknown(venue: str, error: BaseException) -> None:
    failure = submit_failure(PROFILES[venue], error)

    assert type(failure) is OrderOutcomeUnknown
    assert "signature" not in str(failure)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ccxt.RequestTimeout("late"), VenueUnavailable),
        (ccxt.ExchangeNotAvailable("down"), VenueUnavailable),
        (answered(ccxt.ExchangeNotAvailable, "", status=503), VenueUnavailable),
        (answered(ccxt.DDoSProtection, "", status=429), RateLimited),
        (answered(ccxt.AuthenticationError, "", status=401), CredentialRefused),
        (answered(ccxt.OrderNotFound, "-2013"), OrderNotFound),
        (ccxt.BadResponse("html"), UnexpectedPayload),
        (KeyError("list"), UnexpectedPayload),
    ],
)
def test_failed_reads_say_what_to_do(error: BaseException, expected: type[VenueError]) -> None:
    assert type(read_failure(PROFILES["binanceusdm"], error)) is expected


def test_refused_setting_is_told_from_a_venue_that_is_down() -> None:
    profile = PROFILES["binanceusdm"]
    refused = answered(ccxt.ExchangeError, "-4028", "Leverage 200 is not valid")

    assert type(setting_failure(profile, refused)) is SettingRefused
    assert type(setting_failure(profile, ccxt.RequestTimeout("late"))) is VenueUnavailable


def test_answer_is_read_without_its_secrets() -> None:
    answer = Answer.read(
        400,
        {"Retry-After": "7"},
        {"retCode": 10004, "retMsg": f"error sign! origin_string[17{SECRET}5000] key abc123"},
        secrets=("abc123", SECRET, ""),
        now=NOON,
    )

    assert answer.retry_after == 7
    assert answer.code == "10004"
    assert SECRET not in answer.message
    assert "abc123" not in answer.message


@pytest.mark.parametrize(
    ("venue", "status", "headers", "seconds"),
    [
        ("okx", 429, {"Retry-After": "2.5"}, 3),
        ("okx", 503, {"Retry-After": "30"}, 30),
        # Noon at the venue, whatever our clock says.
        (
            "okx",
            503,
            {
                "Retry-After": "Sun, 01 Mar 2026 12:00:45 GMT",
                "Date": "Sun, 01 Mar 2026 12:00:15 GMT",
            },
            30,
        ),
        ("okx", 429, {"Retry-After": "Sun, 01 Mar 2026 12:00:45 GMT"}, 45),
        ("okx", 429, {"Retry-After": "Sun, 01 Mar 2026 11:00:00 GMT"}, 0),
        ("okx", 429, {"Retry-After": "soon"}, None),
        ("okx", 429, {"Retry-After": "\xb2"}, None),
        ("kucoin", 429, {"Retry-After": "soon", "gw-ratelimit-reset": "27000"}, 27),
        # A week at most, whatever is written there.
        ("okx", 503, {"Retry-After": "99999999999999"}, 604_800),
        ("okx", 503, {}, None),
        ("kucoin", 429, {"gw-ratelimit-reset": "27000"}, 27),
        ("gate", 429, {"X-Gate-RateLimit-Reset-Timestamp": "1772366408"}, 8),
        ("gate", 429, {"X-Gate-RateLimit-Reset-Timestamp": "1772366408500"}, 8.5),
        ("bybit", 200, {"X-Bapi-Limit-Reset-Timestamp": "1772366401500"}, 1.5),
        # These stand in every answer: of one that is over, or of a venue that is down, they say
        # nothing.
        ("gate", 429, {"X-Gate-RateLimit-Reset-Timestamp": "1772366400"}, None),
        ("kucoin", 503, {"gw-ratelimit-reset": "27000"}, None),
        ("kucoin", 429, {"gw-ratelimit-reset": "soon"}, None),
    ],
)
def test_how_long_a_venue_wants_silence_is_read_where_and_as_it_says_so(
    venue: str, status: int, headers: dict[str, str], seconds: float | None
) -> None:
    quotas = PROFILES[venue].quotas

    answer = Answer.read(
        status,
        headers,
        None,
        secrets=(),
        now=NOON,
        resets_header=quotas.resets_header,
        waits_header=quotas.waits_header,
    )

    assert answer.retry_after == seconds


def test_exception_keeps_no_frame_that_held_the_secret() -> None:
    async def send(secret: str) -> None:
        raise ccxt.ExchangeNotAvailable(f"POST https://venue/order?signature={secret}")

    with pytest.raises(OrderOutcomeUnknown) as caught:
        asyncio.run(submitting(PROFILES["bybit"], send(SECRET)))

    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_refusal_of_one_order_is_read_from_its_row_and_not_from_the_answer() -> None:
    row = {"ordId": "", "sCode": "51016", "sMsg": "Client order ID already exists."}
    payload = {"code": "1", "msg": "All operations failed", "data": [row]}

    answer = Answer.read(200, {}, payload, secrets=(), now=NOON)

    assert (answer.code, answer.message) == ("51016", "Client order ID already exists.")


@pytest.mark.parametrize(
    "rows", [[], None, "none", [None], [{"sCode": "0"}], [{"sCode": "51016"}, {"sCode": "51008"}]]
)
def test_answer_without_one_refused_row_speaks_for_itself(rows: object) -> None:
    answer = Answer.read(
        200, {}, {"code": "50026", "msg": "System error", "data": rows}, secrets=(), now=NOON
    )

    assert (answer.code, answer.message) == ("50026", "System error")
