"""Readings of equity say what coins of ours they count."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0007_legs_of_any_kind"),
    ]

    operations = [
        migrations.AddField(
            model_name="accountequity",
            name="coins",
            field=models.JSONField(default=list),
        ),
    ]
