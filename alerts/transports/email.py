"""E-mail through the mail server of the settings."""

from __future__ import annotations

import asyncio
import smtplib

from django.conf import settings
from django.core.mail import BadHeaderError, EmailMessage, get_connection

from alerts.transports.port import Target, Undelivered
from alerts.transports.secret_file import SecretFileRefused, read_secret
from alerts.wording import Message


async def send(target: Target, message: Message) -> None:
    """Send one alert as plain text. Raise Undelivered."""
    await asyncio.to_thread(mail, target.address, message.headline, message.text)


def mail(address: str, subject: str, text: str) -> None:
    """Hand one mail to the mail server. Raise Undelivered, without the address in it."""
    if not settings.EMAIL_HOST:
        raise Undelivered("no mail server is configured")
    try:
        password = (
            read_secret(settings.CARRY_EMAIL_PASSWORD_FILE) if settings.EMAIL_HOST_USER else ""
        )
        EmailMessage(
            subject=subject,
            body=text,
            to=[address],
            connection=get_connection(username=settings.EMAIL_HOST_USER, password=password),
        ).send()
    except SecretFileRefused as refusal:
        raise Undelivered(f"no password of the mail server: {refusal}") from None
    except (smtplib.SMTPRecipientsRefused, BadHeaderError):
        raise Undelivered("the mail server refuses the mailbox", is_final=True) from None
    except (smtplib.SMTPException, OSError) as error:
        # The text of an error may repeat what was said, the password included.
        raise Undelivered(f"the mail server fails ({type(error).__name__})") from None
