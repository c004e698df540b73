"""Stock and services may be of S/MIME types, apart from the halves of cards."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cms", "0018_customer_channels"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="service",
            name="service_flow_known",
        ),
        migrations.RemoveConstraint(
            model_name="stock",
            name="stock_type_known",
        ),
        migrations.AlterField(
            model_name="service",
            name="flow",
            field=models.CharField(
                choices=[("enroll", "Rinnovo"), ("extend", "Estensione"), ("smime", "Attivazione S/MIME")],
                default="enroll",
                max_length=16,
                verbose_name="flusso",
            ),
        ),
        migrations.AlterField(
            model_name="service",
            name="types",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("authentication", "Autenticazione CNS"),
                        ("signature", "Firma qualificata"),
                        ("smime-mv", "S/MIME MV"),
                        ("smime-ov", "S/MIME OV"),
                        ("smime-sv", "S/MIME SV"),
                        ("smime-iv", "S/MIME IV"),
                    ],
                    max_length=16,
                ),
                size=None,
                verbose_name="certificati",
            ),
        ),
        migrations.AlterField(
            model_name="stock",
            name="type",
            field=models.CharField(
                choices=[
                    ("authentication", "Autenticazione CNS"),
                    ("signature", "Firma qualificata"),
                    ("smime-mv", "S/MIME MV"),
                    ("smime-ov", "S/MIME OV"),
                    ("smime-sv", "S/MIME SV"),
                    ("smime-iv", "S/MIME IV"),
                ],
                max_length=16,
                verbose_name="certificato",
            ),
        ),
        migrations.AddConstraint(
            model_name="service",
            constraint=models.CheckConstraint(
                condition=models.Q(("flow__in", ["enroll", "extend", "smime"])), name="service_flow_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="service",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("flow", "smime"), ("types__contained_by", ["smime-mv", "smime-ov", "smime-sv", "smime-iv"])
                    ),
                    models.Q(
                        models.Q(("flow", "smime"), _negated=True),
                        ("types__contained_by", ["authentication", "signature"]),
                    ),
                    _connector="OR",
                ),
                name="service_types_fit_flow",
            ),
        ),
        migrations.AddConstraint(
            model_name="stock",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("type__in", ["authentication", "signature", "smime-mv", "smime-ov", "smime-sv", "smime-iv"])
                ),
                name="stock_type_known",
            ),
        ),
    ]
