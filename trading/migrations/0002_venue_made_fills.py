from __future__ import annotations

import uuid
from decimal import Decimal

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import exchanges.decimals


class Migration(migrations.Migration):
    dependencies = [
        ("exchanges", "0001_initial"),
        ("trading", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="trade",
            name="cause",
            field=models.CharField(
                choices=[
                    ("order", "Order"),
                    ("liquidation", "Liquidation"),
                    ("adl", "auto-deleveraging"),
                    ("settlement", "Settlement"),
                    ("manual", "a person's own trade"),
                ],
                default="order",
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="trade",
            name="order",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="trades",
                to="trading.order",
            ),
        ),
        migrations.AddConstraint(
            model_name="trade",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("cause", "order"), ("order__isnull", False)),
                    models.Q(
                        models.Q(("cause", "order"), _negated=True),
                        ("order", None),
                    ),
                    _connector="OR",
                ),
                name="trade_has_its_cause",
            ),
        ),
        migrations.CreateModel(
            name="Discrepancy",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("symbol", models.CharField(max_length=64)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("missing", "Missing"),
                            ("foreign", "Foreign"),
                            ("hedge_mode", "Hedge Mode"),
                            ("wrong_order", "Wrong Order"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "ours",
                    exchanges.decimals.ExactDecimalField(
                        decimal_places=18, help_text="What our own fills say.", max_digits=38
                    ),
                ),
                (
                    "theirs",
                    exchanges.decimals.ExactDecimalField(
                        decimal_places=18, help_text="What the venue says.", max_digits=38
                    ),
                ),
                ("sentence", models.CharField(max_length=400)),
                ("found_at", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField()),
                ("confirmed_at", models.DateTimeField(blank=True, null=True)),
                ("resolved_at", models.DateTimeField(blank=True, null=True)),
                (
                    "resolution",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("adopted", "Adopted"),
                            ("ignored", "Ignored"),
                            ("closed", "Closed"),
                            ("vanished", "Vanished"),
                        ],
                        max_length=8,
                    ),
                ),
                ("resolved_by", models.CharField(blank=True, max_length=150)),
                (
                    "ignored_base",
                    exchanges.decimals.ExactDecimalField(
                        decimal_places=18,
                        default=Decimal("0"),
                        help_text="Signed quantity accepted as not ours.",
                        max_digits=38,
                    ),
                ),
                (
                    "lapsed_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="The ignored quantity changed and is expected no more.",
                        null=True,
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="discrepancies",
                        to="exchanges.exchangeaccount",
                    ),
                ),
                (
                    "instrument",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="exchanges.instrument",
                    ),
                ),
                (
                    "position",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="discrepancies",
                        to="trading.position",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="discrepancies",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "discrepancies",
                "ordering": ["-found_at"],
                "indexes": [
                    models.Index(
                        fields=["user", "resolved_at"], name="trading_dis_user_id_d3708e_idx"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("resolved_at", None)),
                        fields=("account", "symbol"),
                        name="one_open_discrepancy",
                    )
                ],
            },
        ),
    ]
