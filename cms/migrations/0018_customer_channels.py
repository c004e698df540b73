"""Events may come from the customer area and from mailed links."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cms", "0017_services_without_dates"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="event",
            name="event_channel_known",
        ),
        migrations.AlterField(
            model_name="event",
            name="channel",
            field=models.CharField(
                choices=[
                    ("panel", "Pannello"),
                    ("client", "Client carta"),
                    ("automatic", "Automatico"),
                    ("import", "Importazione"),
                    ("holder-page", "Pagina del titolare"),
                    ("customer-area", "Area clienti"),
                    ("mailed-link", "Collegamento nella posta"),
                ],
                max_length=16,
                verbose_name="canale evento",
            ),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "channel__in",
                        ["panel", "client", "automatic", "import", "holder-page", "customer-area", "mailed-link"],
                    )
                ),
                name="event_channel_known",
            ),
        ),
    ]
