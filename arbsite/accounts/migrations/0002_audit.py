"""The audit log: entries sealed one after the other, and the head that writers lock."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_user")]

    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("actor", models.CharField(max_length=150)),
                ("action", models.CharField(max_length=60)),
                ("subject", models.CharField(max_length=150)),
                ("details", models.JSONField(default=dict)),
                (
                    "previous",
                    models.CharField(
                        help_text="Digest of the entry before.", max_length=64, unique=True
                    ),
                ),
                ("digest", models.CharField(max_length=64, unique=True)),
            ],
            options={"ordering": ["-id"], "verbose_name_plural": "audit entries"},
        ),
        migrations.CreateModel(
            name="AuditHead",
            fields=[
                (
                    "id",
                    models.PositiveSmallIntegerField(
                        default=1, primary_key=True, serialize=False
                    ),
                ),
                ("digest", models.CharField(max_length=64)),
            ],
        ),
    ]
