"""Keep a CRL's entries in parts, so that a change rewrites one of them; what is published stays so until it is renewed."""

import django.db.models.deletion
from django.db import migrations, models

# The bytes are random for the most part: compressing them costs more than it saves, and keeps slices from being read.
UNCOMPRESSED = """
    ALTER TABLE authority_crl ALTER COLUMN head SET STORAGE EXTERNAL;
    ALTER TABLE authority_crlpart ALTER COLUMN entries SET STORAGE EXTERNAL;
"""
# An old list stands whole in its head, without parts; the next publication divides it.
DUE = "INSERT INTO authority_unpublishedchange (crl_id, at) SELECT id, this_update FROM authority_crl WHERE number > 0"


class Migration(migrations.Migration):
    dependencies = [("authority", "0001_authority")]

    operations = [
        migrations.RenameField(model_name="crl", old_name="der", new_name="head"),
        migrations.AddField(model_name="crl", name="tail", field=models.BinaryField(default=b"")),
        migrations.AddField(model_name="unpublishedchange", name="part", field=models.BigIntegerField(null=True)),
        migrations.CreateModel(
            name="CrlPart",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.BigIntegerField()),
                ("count", models.IntegerField()),
                ("entries", models.BinaryField()),
                (
                    "crl",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="parts",
                        to="authority.crl",
                    ),
                ),
            ],
            options={"constraints": [models.UniqueConstraint(fields=("crl", "number"), name="crl_part_once")]},
        ),
        migrations.RunSQL(UNCOMPRESSED, migrations.RunSQL.noop),
        migrations.RunSQL(DUE, migrations.RunSQL.noop),
    ]
