"""When data changed after submission: an approval given before no longer covers the order."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("smime", "0001_smime"),
    ]

    operations = [
        migrations.AddField(
            model_name="order",
            name="changed_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="dati modificati il"),
        ),
    ]
