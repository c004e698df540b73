"""Whether the provider has said that nothing more follows: until then its people may turn an automatic result."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("smime", "0002_changed_orders"),
    ]

    operations = [
        migrations.AddField(
            model_name="identificationattempt",
            name="final_told_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
