from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('cms', '0009_narrow_indexes'),
    ]

    operations = [
        migrations.AlterField(
            model_name='invitation',
            name='invited_by',
            field=models.BigIntegerField(blank=True, null=True, verbose_name='invitato da'),
        ),
    ]
