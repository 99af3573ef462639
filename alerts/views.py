"""The pages of alerts: what was told and waits to be read, and on which ways people are told."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from alerts.forms import MailboxForm, PreferencesForm, WebhookForm
from alerts.models import Alert, Channel
from alerts.services import channels as ways
from alerts.services import mailboxes
from alerts.services.acknowledge import acknowledge
from alerts.services.second_way import missing_second_way
from alerts.services.wishes import preferences_of
from alerts.transports.port import Undelivered
from trading.events import announce
from trading.selectors.alerts import alert_feed, mark_alerts_read
from trading.views.access import SignedInRequest, signed_in
from trading.views.layout import frame_of, screen_for

SHOWN = 200
BAD_CODE = (
    "This code is not good: it was mistyped, tried too often, replaced by a newer one, or is older "
    "than half an hour. Read the newest mail again, or send the code again."
)


@signed_in
@require_GET
def alerts(request: SignedInRequest) -> HttpResponse:
    """Show what waits to be acknowledged, then all that happened."""
    feed = alert_feed(request.user, limit=SHOWN)
    context = frame_of(request, screen_for(request)) | _waiting(request) | {"feed": feed}
    return render(request, "alerts/alerts.html", context)


@signed_in
@require_POST
def read_all(request: SignedInRequest) -> HttpResponse:
    """Mark all that happened as read; what is CRITICAL still waits to be acknowledged."""
    mark_alerts_read(request.user, now=timezone.now())
    return redirect("alerts:alerts")


@signed_in
@require_POST
def acknowledge_all(request: SignedInRequest) -> HttpResponse:
    return _acknowledge(request, None)


@signed_in
@require_POST
def acknowledge_one(request: SignedInRequest, alert_id: int) -> HttpResponse:
    """End the repeats of one alert; one that is another's does not exist."""
    if not Alert.objects.for_user(request.user).filter(pk=alert_id).exists():
        raise Http404("There is no such alert.")
    return _acknowledge(request, alert_id)


@signed_in
@require_http_methods(["GET", "POST"])
def channels(request: SignedInRequest) -> HttpResponse:
    """Show the ways to this person and what they want to hear; on POST keep the latter."""
    preferences = preferences_of(request.user)
    form = PreferencesForm(request.POST or None, instance=preferences)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Saved.")
        return redirect("alerts:channels")
    return _channels(request, preferences=form)


@signed_in
@require_POST
def link(request: SignedInRequest) -> HttpResponse:
    """Show a code that links a chat; it is in no address and no message."""
    code = ways.new_link_code(request.user, now=timezone.now())
    return _channels(request, code=code)


@signed_in
@require_POST
def mailbox(request: SignedInRequest) -> HttpResponse:
    form = MailboxForm(request.POST)
    if form.is_valid():
        try:
            channel = ways.add_mailbox(request.user, now=timezone.now(), **form.cleaned_data)
            return _mail_code(request, channel)
        except ways.ChannelRefused as refusal:
            form.add_error("address", str(refusal))
    return _channels(request, mailbox=form)


@signed_in
@require_POST
def mail_code(request: SignedInRequest, channel_id: UUID) -> HttpResponse:
    """Mail another code to a mailbox that is not confirmed."""
    return _mail_code(request, _unconfirmed(request, channel_id))


@signed_in
@require_POST
def confirm(request: SignedInRequest, channel_id: UUID) -> HttpResponse:
    """Take the code that was mailed: from then on the mailbox is told."""
    channel = _unconfirmed(request, channel_id)
    code, actor = request.POST.get("code", ""), request.user.get_username()
    if not mailboxes.confirm(channel, code, actor=actor, now=timezone.now()):
        return _channels(request, asked=channel.pk, bad_code=BAD_CODE)
    messages.success(request, "Confirmed: alerts are sent there from now on.")
    return redirect("alerts:channels")


@signed_in
@require_POST
def webhook(request: SignedInRequest) -> HttpResponse:
    """Add a webhook and show its secret, this once."""
    form = WebhookForm(request.POST)
    if form.is_valid():
        url, is_second = form.cleaned_data["address"], form.cleaned_data["is_second"]
        try:
            _, secret = ways.add_webhook(request.user, url, is_second=is_second, now=timezone.now())
            return _channels(request, secret=secret)
        except ways.ChannelRefused as refusal:
            form.add_error("address", str(refusal))
    return _channels(request, webhook=form)


@signed_in
@require_POST
def test(request: SignedInRequest) -> HttpResponse:
    """Tell the person something harmless on the first channels."""
    if not Channel.objects.for_user(request.user).in_use().exists():
        messages.warning(request, "No test was sent: no channel of yours is in use. Confirm one.")
        return redirect("alerts:channels")
    announce(
        user_id=request.user.pk,
        kind="channel.test",
        sentence=f"A test, asked for by {request.user.get_username()}.",
        now=timezone.now(),
    )
    messages.info(request, "A test is on its way.")
    return redirect("alerts:channels")


@signed_in
@require_POST
def remove(request: SignedInRequest, channel_id: UUID) -> HttpResponse:
    """End a channel; a chat that is removed commands nothing any more."""
    own = Channel.objects.for_user(request.user).active()
    channel = get_object_or_404(own, pk=channel_id)
    ways.remove(channel, actor=request.user.get_username(), now=timezone.now())
    messages.success(request, f"{channel.get_kind_display()} is removed.")
    return redirect("alerts:channels")


def _unconfirmed(request: SignedInRequest, channel_id: UUID) -> Channel:
    return get_object_or_404(Channel.objects.for_user(request.user).unconfirmed(), pk=channel_id)


def _mail_code(request: SignedInRequest, channel: Channel) -> HttpResponse:
    """Mail a code; what keeps it from being mailed is said beside the mailbox."""
    try:
        mailboxes.mail_code(channel, actor=request.user.get_username(), now=timezone.now())
    except mailboxes.CodeRefused as refusal:
        return _channels(request, asked=channel.pk, not_mailed=str(refusal))
    except Undelivered as failure:
        why = f"No code was mailed, {failure.sentence}: try again in a minute."
        return _channels(request, asked=channel.pk, not_mailed=why)
    messages.success(request, "A code is on its way to the mailbox: type it below.")
    return redirect("alerts:channels")


def _acknowledge(request: SignedInRequest, alert_id: int | None) -> HttpResponse:
    actor = request.user.get_username()
    acknowledge(request.user, actor=actor, now=timezone.now(), alert_id=alert_id)
    if not request.htmx:
        return redirect("alerts:alerts")
    return render(request, "alerts/_waiting.html", _waiting(request))


def _waiting(request: SignedInRequest) -> dict[str, Any]:
    return {"waiting": list(Alert.objects.for_user(request.user).waiting()[:SHOWN])}


def _channels(
    request: SignedInRequest,
    *,
    preferences: forms.ModelForm[Any] | None = None,
    mailbox: forms.Form | None = None,
    webhook: forms.Form | None = None,
    code: str = "",
    secret: str = "",
    asked: UUID | None = None,
    bad_code: str = "",
    not_mailed: str = "",
) -> HttpResponse:
    given = (preferences, mailbox, webhook)
    own = Channel.objects.for_user(request.user)
    context = frame_of(request, screen_for(request)) | {
        "channels": own.active(),
        "unconfirmed": own.unconfirmed(),
        "asked": asked,
        "bad_code": bad_code,
        "not_mailed": not_mailed,
        "missing_second_way": missing_second_way(request.user),
        "preferences": preferences or PreferencesForm(instance=preferences_of(request.user)),
        "mailbox": mailbox or MailboxForm(),
        "webhook": webhook or WebhookForm(),
        "code": code,
        "secret": secret,
        "has_bot": settings.CARRY_TELEGRAM_TOKEN_FILE.exists(),
        "has_mail": bool(settings.EMAIL_HOST),
        "authority": ways.authority_of(request.user),
    }
    is_refused = bool(bad_code or not_mailed) or any(
        form is not None and form.errors for form in given
    )
    status = 422 if is_refused else 200
    return render(request, "alerts/channels.html", context, status=status)
