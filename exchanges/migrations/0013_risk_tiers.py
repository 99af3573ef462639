import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('exchanges', '0012_hourly_activity'),
    ]

    operations = [
        migrations.CreateModel(
            name='RiskTiers',
            fields=[
                ('instrument', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='risk_tiers', serialize=False, to='exchanges.instrument')),
                ('rows', models.JSONField(default=list, help_text='Cap (empty: none), leverage, maintenance rate, deduction.')),
                ('in_base', models.BooleanField(default=False, help_text='Caps in base units.')),
                ('told_at', models.DateTimeField(blank=True, help_text='When the ladder was told.', null=True)),
                ('asked_at', models.DateTimeField(blank=True, help_text='When it was asked for; empty: it is in doubt.', null=True)),
            ],
            options={
                'verbose_name_plural': 'risk tiers',
                'ordering': ['instrument'],
            },
        ),
    ]
