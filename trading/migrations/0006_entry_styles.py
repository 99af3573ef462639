from __future__ import annotations

from django.db import migrations, models

import exchanges.decimals

KINDS = (
    *("would_take", "nothing_to_reduce", "invalid", "margin"),
    *("credential", "unavailable", "other"),
)


class Migration(migrations.Migration):
    dependencies = [("trading", "0006_account_review")]

    operations = [
        migrations.AddField(
            model_name="order",
            name="average_price",
            field=exchanges.decimals.ExactDecimalField(
                blank=True,
                decimal_places=18,
                help_text="What the venue says it filled at so far.",
                max_digits=38,
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="order",
            name="refusal_kind",
            field=models.CharField(
                blank=True, choices=[(kind, kind) for kind in KINDS], max_length=20
            ),
        ),
        migrations.AddField(
            model_name="position",
            name="force_one_sided",
            field=models.BooleanField(
                default=False,
                help_text="One leg may be closed although the other's venue is out of reach.",
            ),
        ),
        migrations.AddField(
            model_name="position",
            name="state_since",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
