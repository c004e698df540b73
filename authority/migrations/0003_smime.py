"""A CA for S/MIME beside the others, its eight profiles, and no hold for the strict ones."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("authority", "0002_crl_parts"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="certificationauthority",
            name="authority_role",
        ),
        migrations.RemoveConstraint(
            model_name="ledgerentry",
            name="ledger_profile_known",
        ),
        migrations.AlterField(
            model_name="certificationauthority",
            name="role",
            field=models.CharField(
                choices=[
                    ("root", "Radice"),
                    ("cns", "Autenticazione CNS"),
                    ("signature", "Firma qualificata"),
                    ("smime", "S/MIME"),
                ],
                max_length=16,
                unique=True,
            ),
        ),
        migrations.AlterField(
            model_name="ledgerentry",
            name="profile",
            field=models.CharField(
                choices=[
                    ("cns-authentication", "cns-authentication"),
                    ("qualified-signature", "qualified-signature"),
                    ("smime-mv-multipurpose", "smime-mv-multipurpose"),
                    ("smime-mv-strict", "smime-mv-strict"),
                    ("smime-ov-multipurpose", "smime-ov-multipurpose"),
                    ("smime-ov-strict", "smime-ov-strict"),
                    ("smime-sv-multipurpose", "smime-sv-multipurpose"),
                    ("smime-sv-strict", "smime-sv-strict"),
                    ("smime-iv-multipurpose", "smime-iv-multipurpose"),
                    ("smime-iv-strict", "smime-iv-strict"),
                ],
                max_length=32,
            ),
        ),
        migrations.AddConstraint(
            model_name="certificationauthority",
            constraint=models.CheckConstraint(
                condition=models.Q(("role__in", ["root", "cns", "signature", "smime"])), name="authority_role"
            ),
        ),
        migrations.AddConstraint(
            model_name="ledgerentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "profile__in",
                        [
                            "cns-authentication",
                            "qualified-signature",
                            "smime-mv-multipurpose",
                            "smime-mv-strict",
                            "smime-ov-multipurpose",
                            "smime-ov-strict",
                            "smime-sv-multipurpose",
                            "smime-sv-strict",
                            "smime-iv-multipurpose",
                            "smime-iv-strict",
                        ],
                    )
                ),
                name="ledger_profile_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="ledgerentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("profile__in", ("smime-mv-strict", "smime-ov-strict", "smime-sv-strict", "smime-iv-strict")),
                    ("state", "held"),
                    _negated=True,
                ),
                name="ledger_strict_is_never_held",
            ),
        ),
    ]
