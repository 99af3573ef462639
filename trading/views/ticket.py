"""The new-position ticket: quoted while it is filled in, quoted again before it opens anything."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from decimal import Decimal

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from trading import desk
from trading.core.refusal import Refusal
from trading.forms import SIMPLE, TicketForm
from trading.models import Opportunity, Position
from trading.selectors.opportunities import LegWords, get_opportunity_for_user, leg_words
from trading.selectors.screen import Screen
from trading.selectors.venues import own_exchanges
from trading.services.plan_entry import Refused
from trading.services.quote import EntryQuote
from trading.templatetags import carry_format as carry
from trading.views.access import SignedInRequest, signed_in
from trading.views.layout import render_page, screen_for

DEFAULT_SIZE = Decimal(10_000)


@dataclass(slots=True, kw_only=True)
class Ticket:
    """What the ticket shows: the fields as typed, the quote, and why it was not taken."""

    symbol: str
    long: str
    short: str
    size: str
    strategy: str = SIMPLE[0]
    strategies: tuple[str, ...] = SIMPLE
    opportunity: str = ""
    legs: list[LegWords] = field(default_factory=list)
    venues: list[tuple[str, str]]
    bases: list[str]
    idempotency_key: str = field(default_factory=lambda: str(uuid.uuid4()))
    quote: EntryQuote | None = None
    errors: dict[str, list[str]] = field(default_factory=dict)
    refusals: tuple[Refusal, ...] = ()
    moved_from: Decimal | None = None


def ticket_for(screen: Screen, base: str | None) -> Ticket:
    """Return a ticket filled in with the best pair of `base`, or of the best base."""
    found = screen.best_pairs.get(base) if base else _best(screen)
    chosen = base or (found.base if found else next(iter(screen.sheet.bases), ""))
    venues = _venues(screen)
    listed = [code for code, _ in venues if (chosen, code) in screen.sheet.symbols]
    ticket = Ticket(
        symbol=chosen,
        long=found.long_instrument.exchange.code if found else next(iter(listed), ""),
        short=found.short_instrument.exchange.code if found else next(iter(listed[1:]), ""),
        size=carry.size(found.size_usd if found else DEFAULT_SIZE),
        venues=venues,
        bases=screen.sheet.bases,
    )
    if ticket.short:
        _quote(screen, ticket, _form(screen, vars_of(ticket)))
    return ticket


def _ticket_of(screen: Screen, chosen: str) -> Ticket:
    """Return a ticket for all legs of one opportunity of the user."""
    found = get_opportunity_for_user(screen.user, chosen)
    ticket = Ticket(
        symbol=found.base,
        long="",
        short="",
        size=carry.size(found.size_usd),
        strategy=found.strategy,
        opportunity=str(found.pk),
        venues=_venues(screen),
        bases=screen.sheet.bases,
    )
    _quote(screen, ticket, _form(screen, vars_of(ticket)))
    return ticket


@signed_in
@require_GET
def quote(request: SignedInRequest) -> HttpResponse:
    """Quote the ticket as it stands; 422 with sentences when it names nothing that exists."""
    screen = screen_for(request)
    ticket, form = _typed(screen, request.GET.dict())
    _quote(screen, ticket, form)
    status = 422 if ticket.errors else 200
    return render(
        request, "trading/_quote.html", {"screen": screen, "ticket": ticket}, status=status
    )


@signed_in
@require_http_methods(["GET", "POST"])
def open_position(request: SignedInRequest) -> HttpResponse:
    """Quote again, then open; ask once more when the figures moved since the person saw them."""
    screen = screen_for(request)
    if request.method == "GET":
        base = request.GET.get("symbol", "").upper()
        chosen = request.GET.get("opportunity", "")
        if chosen:
            ticket = _ticket_of(screen, chosen)
        elif "long" in request.GET and "short" in request.GET:
            ticket, form = _typed(screen, request.GET.dict())
            _quote(screen, ticket, form)
        else:
            ticket = ticket_for(screen, base if base in screen.sheet.bases else None)
        return render_page(request, "ticket.html", screen, ticket=ticket)
    ticket, form = _typed(screen, request.POST.dict())
    _quote(screen, ticket, form)
    if ticket.quote is None:
        return _again(request, screen, ticket, status=422)
    seen = form.cleaned_data.get("quoted_net_apr")
    if seen is not None and desk.has_moved(seen, ticket.quote.net_apr):
        ticket.moved_from = seen
        return _again(request, screen, ticket, status=409)
    entry = form.entry()
    outcome = desk.open_position(
        user=request.user,
        entry=entry,
        actor=request.user.get_username(),
        key=ticket.idempotency_key,
        now=screen.now,
    )
    if isinstance(outcome, Refused):
        ticket.refusals = outcome.refusals
        return _again(request, screen, ticket, status=422)
    return _opened(request, outcome)


def _opened(request: SignedInRequest, position: Position) -> HttpResponse:
    sentence = f"Opening {position.base}, ${carry.size(position.size_usd)} a leg."
    if not request.htmx:
        messages.success(request, sentence)
        return redirect("trading:position", position.id)
    fresh = screen_for(request)
    context = {
        "screen": fresh,
        "ticket": ticket_for(fresh, position.base),
        "notice": sentence,
        "opened": position,
    }
    return render(request, "trading/_ticket.html", context)


def _again(
    request: SignedInRequest, screen: Screen, ticket: Ticket, *, status: int
) -> HttpResponse:
    if request.htmx:
        context = {"screen": screen, "ticket": ticket}
        return render(request, "trading/_ticket.html", context, status=status)
    return render_page(request, "ticket.html", screen, status=status, ticket=ticket)


def _typed(screen: Screen, data: dict[str, str]) -> tuple[Ticket, TicketForm]:
    form = _form(screen, data)
    ticket = Ticket(
        symbol=data.get("symbol", ""),
        long=data.get("long", ""),
        short=data.get("short", ""),
        size=data.get("size", ""),
        strategy=data.get("strategy", ""),
        opportunity=data.get("opportunity", ""),
        venues=_venues(screen),
        bases=screen.sheet.bases,
    )
    if form.is_valid() and form.cleaned_data["idempotency_key"]:
        ticket.idempotency_key = str(form.cleaned_data["idempotency_key"])
    return ticket, form


def _quote(screen: Screen, ticket: Ticket, form: TicketForm) -> None:
    if not form.is_valid():
        ticket.errors = {
            name: [str(sentence) for sentence in sentences]
            for name, sentences in form.errors.items()
        }
        return
    entry = form.entry()
    ticket.legs = [leg_words(leg) for leg in entry.legs]
    ticket.strategy, ticket.symbol = entry.strategy, entry.base
    ticket.quote = desk.quote(user=screen.user, entry=entry, now=screen.now)


def _form(screen: Screen, data: dict[str, str]) -> TicketForm:
    return TicketForm(data, exchanges=own_exchanges(screen.user), user=screen.user)


def vars_of(ticket: Ticket) -> dict[str, str]:
    """Return the fields of a ticket as a form posts them."""
    return {
        "symbol": ticket.symbol,
        "long": ticket.long,
        "short": ticket.short,
        "size": ticket.size,
        "strategy": ticket.strategy,
        "opportunity": ticket.opportunity,
        "idempotency_key": ticket.idempotency_key,
    }


def _venues(screen: Screen) -> list[tuple[str, str]]:
    return [(exchange.code, exchange.short_code) for exchange in own_exchanges(screen.user)]


def _best(screen: Screen) -> Opportunity | None:
    base = next(iter(screen.ranked_bases), None)
    return screen.best_pairs.get(base) if base is not None else None
