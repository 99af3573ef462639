"""Positions remember which exposure was judged last, so that the sweep finds what moved since."""

from __future__ import annotations

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import F, Q


def call_the_ended_judged(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Drive none of the ended positions of the past; live ones are judged at the first sweep."""
    positions = apps.get_model("trading", "Position").objects.using(schema_editor.connection.alias)
    ended = positions.filter(state__in=("closed", "abandoned"))
    ended.update(judged_version=F("exposure_version"))


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0013_written_off"),
    ]

    operations = [
        migrations.AddField(
            model_name="position",
            name="judged_version",
            field=models.PositiveIntegerField(
                default=0,
                help_text="The exposure that was judged last with nothing left to do about it.",
            ),
        ),
        migrations.AddIndex(
            model_name="position",
            index=models.Index(
                fields=["id"],
                condition=Q(exposure_version__gt=F("judged_version")),
                name="position_unjudged",
            ),
        ),
        migrations.RunPython(call_the_ended_judged, migrations.RunPython.noop),
    ]
