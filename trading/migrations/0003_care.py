"""Care of open positions: what is to be cut, what lasts, margin added, dead-man's switches."""

from __future__ import annotations

import uuid

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

import exchanges.decimals


class Migration(migrations.Migration):
    dependencies = [("exchanges", "0001_initial"), ("trading", "0002_venue_made_fills")]

    operations = [
        migrations.AddField(
            model_name="position",
            name="reduce_to",
            field=exchanges.decimals.ExactDecimalField(
                blank=True,
                decimal_places=18,
                help_text="Care asked to cut each leg to this; empty: nothing asked.",
                max_digits=38,
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="position",
            name="reduce_cause",
            field=models.CharField(blank=True, max_length=300),
        ),
        migrations.AddField(
            model_name="position",
            name="basis_steps",
            field=models.PositiveSmallIntegerField(
                default=0,
                help_text="Adverse steps of the price gap that were answered by a reduction.",
            ),
        ),
        migrations.CreateModel(
            name="LastingCondition",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("rule", models.CharField(max_length=32)),
                ("since", models.DateTimeField()),
                ("seen_at", models.DateTimeField()),
                (
                    "position",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lasting",
                        to="trading.position",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("position", "rule"), name="lasting_once")
                ]
            },
        ),
        migrations.CreateModel(
            name="MarginTopUp",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "amount",
                    exchanges.decimals.ExactDecimalField(
                        decimal_places=18, help_text="> 0, in the settle asset.", max_digits=38
                    ),
                ),
                (
                    "margin_before",
                    exchanges.decimals.ExactDecimalField(decimal_places=18, max_digits=38),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("asked", "Asked"),
                            ("unknown", "Unknown"),
                            ("done", "Done"),
                            ("refused", "Refused"),
                            ("not_done", "Not Done"),
                        ],
                        default="asked",
                        max_length=8,
                    ),
                ),
                ("refusal", models.CharField(blank=True, max_length=300)),
                ("asked_at", models.DateTimeField()),
                ("resolved_at", models.DateTimeField(blank=True, null=True)),
                (
                    "leg",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="margin_top_ups",
                        to="trading.leg",
                    ),
                ),
            ],
            options={
                "ordering": ["asked_at"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=Q(("outcome__in", ["asked", "unknown"])),
                        fields=("leg",),
                        name="one_unresolved_top_up",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DeadManSwitch",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "tended_at",
                    models.DateTimeField(help_text="When a worker last took it upon itself."),
                ),
                (
                    "fires_at",
                    models.DateTimeField(help_text="At the latest, unless renewed."),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="dead_man_switches",
                        to="exchanges.exchangeaccount",
                    ),
                ),
                (
                    "instrument",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="exchanges.instrument",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("account", "instrument"), name="switch_once")
                ]
            },
        ),
    ]
