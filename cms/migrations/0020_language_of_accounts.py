from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('cms', '0019_smime_stock'),
    ]

    operations = [
        migrations.AddField(
            model_name='user',
            name='language',
            field=models.CharField(db_default='it', default='it', max_length=5, verbose_name='lingua'),
        ),
    ]
