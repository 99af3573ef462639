"""Presets of users, ranges that staff leaves, and where a version came from."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("trading", "0006_entry_styles"),
    ]

    operations = [
        migrations.AddField(
            model_name="configurationversion",
            name="note",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Where the values came from.",
                max_length=200,
            ),
            preserve_default=False,
        ),
        migrations.CreateModel(
            name="ConfigurationPreset",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=40)),
                (
                    "values",
                    models.JSONField(
                        help_text="Field → value as `Parameters.to_values` writes it."
                    ),
                ),
                ("saved_at", models.DateTimeField()),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="configuration_presets",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user", "name"), name="configuration_preset_name"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="StaffLimit",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("field", models.CharField(max_length=60)),
                (
                    "least",
                    models.DecimalField(blank=True, decimal_places=10, max_digits=24, null=True),
                ),
                (
                    "most",
                    models.DecimalField(blank=True, decimal_places=10, max_digits=24, null=True),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="staff_limits",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["field"],
                "constraints": [
                    models.UniqueConstraint(fields=("user", "field"), name="staff_limit_of_user"),
                    models.UniqueConstraint(
                        condition=models.Q(("user", None)),
                        fields=("field",),
                        name="staff_limit_of_all",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("least__isnull", False), ("most__isnull", False), _connector="OR"
                        ),
                        name="staff_limit_bounds",
                    ),
                ],
            },
        ),
    ]
