"""Legs with a ratio, spot legs that owe interest, fees in a third asset."""

from __future__ import annotations

import django.db.models.deletion
import exchanges.decimals
import uuid
from decimal import Decimal
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("exchanges", "0001_initial"),
        ("trading", "0007_configuration"),
    ]

    operations = [
        migrations.AddField(
            model_name="leg",
            name="interest_read_at",
            field=models.DateTimeField(
                blank=True,
                help_text="When its venue last told all interest on its debt.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="leg",
            name="ratio",
            field=exchanges.decimals.ExactDecimalField(
                decimal_places=12,
                default=Decimal("1"),
                help_text="Its part of the position's base quantity, by design.",
                max_digits=20,
            ),
        ),
        migrations.AddField(
            model_name="trade",
            name="fee_price",
            field=exchanges.decimals.ExactDecimalField(
                blank=True,
                decimal_places=18,
                help_text="What one fee_asset was worth in quote currency when it was booked; empty "
                "where the fee needs no price, or none was known.",
                max_digits=38,
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="position",
            name="reduce_to",
            field=exchanges.decimals.ExactDecimalField(
                blank=True,
                decimal_places=18,
                help_text="Care asked for this base quantity; empty: nothing asked.",
                max_digits=38,
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="position",
            name="target_base_quantity",
            field=exchanges.decimals.ExactDecimalField(
                decimal_places=18,
                help_text="Planned base quantity; of each leg its ratio of it.",
                max_digits=38,
            ),
        ),
        migrations.CreateModel(
            name="BorrowInterest",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("venue_interest_id", models.CharField(max_length=96)),
                ("amount", exchanges.decimals.ExactDecimalField(decimal_places=18, max_digits=38)),
                ("asset", models.CharField(max_length=16)),
                (
                    "borrowed",
                    exchanges.decimals.ExactDecimalField(
                        blank=True,
                        decimal_places=18,
                        help_text="What it was charged on.",
                        max_digits=38,
                        null=True,
                    ),
                ),
                (
                    "hourly_rate",
                    exchanges.decimals.ExactDecimalField(
                        blank=True, decimal_places=12, max_digits=20, null=True
                    ),
                ),
                ("price", exchanges.decimals.ExactDecimalField(decimal_places=18, max_digits=38)),
                (
                    "amount_usd",
                    exchanges.decimals.ExactDecimalField(decimal_places=18, max_digits=38),
                ),
                ("charged_at", models.DateTimeField()),
                ("booked_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="interest",
                        to="exchanges.exchangeaccount",
                    ),
                ),
                (
                    "leg",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="interest",
                        to="trading.leg",
                    ),
                ),
                (
                    "position",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="interest",
                        to="trading.position",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "borrow interest",
                "ordering": ["charged_at"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "venue_interest_id"), name="interest_once"
                    )
                ],
            },
        ),
    ]
