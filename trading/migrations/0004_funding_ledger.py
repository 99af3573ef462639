from __future__ import annotations

from datetime import timedelta

import django.db.models.deletion
import django.utils.timezone
import uuid

import exchanges.decimals
from django.db import migrations, models

LONG_OVER = timedelta(days=1)
AFTER_END = timedelta(minutes=10)


def mark_long_ended_legs_as_told(apps, schema_editor):
    """What ended long ago was read to its end by the version before."""
    legs = apps.get_model("trading", "Leg").objects.filter(
        position__close_timestamp__lt=django.utils.timezone.now() - LONG_OVER
    )
    for leg in legs.select_related("position"):
        leg.funding_read_at = leg.position.close_timestamp + AFTER_END
        leg.save(update_fields=["funding_read_at"])


class Migration(migrations.Migration):
    dependencies = [
        ("exchanges", "0001_initial"),
        ("trading", "0003_care"),
    ]

    operations = [
        migrations.AddField(
            model_name="leg",
            name="funding_read_at",
            field=models.DateTimeField(
                blank=True,
                help_text="When its venue last told all its funding payments.",
                null=True,
            ),
        ),
        migrations.RunPython(mark_long_ended_legs_as_told, migrations.RunPython.noop),
        migrations.AddField(
            model_name="expectedfunding",
            name="price_source",
            field=models.CharField(
                choices=[
                    ("venue", "the venue's settlement price"),
                    ("mark", "the venue's mark right after"),
                    ("other_venue", "another venue's settlement price of that instant"),
                    ("last_fill", "the leg's own last fill: an estimate"),
                ],
                default="venue",
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="expectedfunding",
            name="status",
            field=models.CharField(
                choices=[
                    ("pending", "Pending"),
                    ("uncertain", "uncertain: a fill was close to the settlement"),
                    ("not_counted", "nothing was due after all"),
                    ("missing", "Missing"),
                    ("matched", "Matched"),
                    ("late", "paid late"),
                    ("wrong_sign", "paid with the wrong sign"),
                    ("deviating", "paid another amount"),
                ],
                default="pending",
                max_length=12,
            ),
        ),
        migrations.RemoveConstraint(model_name="fundingevent", name="funding_once"),
        migrations.AddConstraint(
            model_name="fundingevent",
            constraint=models.UniqueConstraint(
                fields=("account", "venue_payment_id"), name="funding_once"
            ),
        ),
        migrations.AddField(
            model_name="equitysnapshot",
            name="read_at",
            field=models.DateTimeField(
                blank=True,
                help_text="When the venues were asked; `at` is the minute of it.",
                null=True,
            ),
        ),
        migrations.CreateModel(
            name="AccountEquity",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "wallet_usd",
                    exchanges.decimals.ExactDecimalField(decimal_places=18, max_digits=38),
                ),
                (
                    "equity_usd",
                    exchanges.decimals.ExactDecimalField(decimal_places=18, max_digits=38),
                ),
                ("positions", models.JSONField(default=list)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="equity",
                        to="exchanges.exchangeaccount",
                    ),
                ),
                (
                    "snapshot",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="accounts",
                        to="trading.equitysnapshot",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "account equity",
                "ordering": ["snapshot__at"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("snapshot", "account"), name="account_equity_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Transfer",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("venue_transfer_id", models.CharField(max_length=96)),
                ("amount", exchanges.decimals.ExactDecimalField(decimal_places=18, max_digits=38)),
                ("asset", models.CharField(max_length=16)),
                ("moved_at", models.DateTimeField()),
                ("booked_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="transfers",
                        to="exchanges.exchangeaccount",
                    ),
                ),
            ],
            options={
                "ordering": ["moved_at"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "venue_transfer_id"), name="transfer_once"
                    )
                ],
            },
        ),
    ]
