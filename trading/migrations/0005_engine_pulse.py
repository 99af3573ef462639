"""The engine's sign of life, and when each account was last compared with its venue."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("exchanges", "0001_initial"), ("trading", "0004_funding_ledger")]

    operations = [
        migrations.CreateModel(
            name="EnginePulse",
            fields=[
                (
                    "id",
                    models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False),
                ),
                (
                    "generation_at",
                    models.DateTimeField(help_text="When the engine came back to life."),
                ),
                ("beat_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=Q(id=1), name="one_engine_pulse")
                ],
            },
        ),
        migrations.CreateModel(
            name="Reconciliation",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="reconciliation",
                        serialize=False,
                        to="exchanges.exchangeaccount",
                    ),
                ),
                ("compared_at", models.DateTimeField()),
            ],
        ),
    ]
