"""The command line of the page bar: it opens pages and forms, and stops or scans; it sends nothing.

Every line ends in an address. The forms behind it ask and confirm as if they had been clicked.
"""

from __future__ import annotations

from decimal import Decimal
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from django.views.decorators.http import require_POST

from arbsite.accounts.models import User
from exchanges.domain import InstrumentKind
from trading import desk
from trading.core.commands import Command, Unclear, Verb, Vocabulary, parse
from trading.core.money import plain
from trading.forms import parse_size
from trading.models import Position
from trading.selectors.venues import own_exchanges
from trading.views.access import SignedInRequest, signed_in
from trading.views.layout import PAGES, screen_for

ROUTES = {page.code: page.route for page in PAGES}
DASHBOARD = "trading:dashboard"
MOST_NAMED = 5


@signed_in
@require_POST
def command(request: SignedInRequest) -> HttpResponse:
    """Do or open what one line names; 422 with a sentence when it names nothing."""
    venues = {each.short_code: each.code for each in own_exchanges(request.user)}
    known = Vocabulary(pages=ROUTES, symbols=screen_for(request).sheet.bases, venues=venues)
    try:
        asked = parse(request.POST.get("line", ""), known)
        address = _address(request, asked, venues)
    except Unclear as unclear:
        if request.htmx:
            return HttpResponse(escape(str(unclear)), status=422)
        messages.error(request, str(unclear))
        return redirect(DASHBOARD)
    if request.htmx:
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return redirect(address)


def _address(request: SignedInRequest, asked: Command, venues: dict[str, str]) -> str:
    """Return where the command leads; scanning and pausing are done on the way."""
    match asked.verb:
        case Verb.PAGE:
            return reverse(ROUTES[asked.subject])
        case Verb.POSITION:
            return reverse("trading:position", args=[_position(request.user, asked.subject).pk])
        case Verb.CLOSE:
            return reverse("trading:close", args=[_position(request.user, asked.subject).pk])
        case Verb.TICKET | Verb.CALC:
            return _filled_in(asked, venues)
        case Verb.KILL:
            return reverse("trading:kill")
        case Verb.SYMBOL:
            return f"{reverse(DASHBOARD)}?{urlencode({'symbol': asked.subject})}"
        case Verb.SCAN | Verb.PAUSE | Verb.RESUME:
            messages.info(request, _controlled(request.user, asked.verb))
            return reverse(DASHBOARD)


def _controlled(user: User, verb: Verb) -> str:
    if verb is Verb.SCAN:
        return desk.scan(user)
    if verb is Verb.PAUSE:
        return desk.pause(user, actor=user.get_username(), now=timezone.now())
    return "Nothing was resumed yet: press Resume in the engine panel, which asks once more."


def _filled_in(asked: Command, venues: dict[str, str]) -> str:
    """Return the address of the ticket, or of the calculator with the facts of the market."""
    fields = {"symbol": asked.subject, "long": venues[asked.long], "short": venues[asked.short]}
    if asked.size:
        fields["size"] = asked.size
    if asked.verb is Verb.TICKET:
        return f"{reverse('trading:open')}?{urlencode(fields)}"
    if asked.size:
        fields["size"] = plain(_usd(asked.size))
    for leg in ("long", "short"):
        fields[leg] += f":{InstrumentKind.PERPETUAL}"
    return f"{reverse('trading:calculators')}?{urlencode(fields | {'fill': '1'})}"


def _usd(typed: str) -> Decimal:
    try:
        return parse_size(typed)
    except ValidationError as refusal:
        raise Unclear(refusal.messages[0]) from refusal


def _position(user: User, subject: str) -> Position:
    """Return the one position that `#id` or a symbol names. Raise Unclear for none or several."""
    own = Position.objects.for_user(user)
    if subject.startswith("#"):
        named = list(own.filter(pk__startswith=subject[1:9].lower())[:MOST_NAMED])
    else:
        named = list(own.live().filter(base=subject)[:MOST_NAMED])
    if not named:
        raise Unclear(f"{subject}: you have no such position.")
    if len(named) > 1:
        which = ", ".join(f"#{each.short_id}" for each in named)
        raise Unclear(f"{subject} names several positions, such as {which}: name one.")
    return named[0]
