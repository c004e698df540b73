"""A recipient accepts the terms as the reader of a mailbox: another mailbox is another recipient, who accepts anew."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('smime', '0006_given_up_reissues'),
    ]

    operations = [
        migrations.AddField(
            model_name='termsacceptance',
            name='mailbox',
            field=models.CharField(blank=True, default='', max_length=254),
            preserve_default=False,
        ),
        migrations.RemoveConstraint(
            model_name='termsacceptance',
            name='one_acceptance_per_text',
        ),
        migrations.AddConstraint(
            model_name='termsacceptance',
            constraint=models.UniqueConstraint(fields=('order', 'text', 'version', 'role', 'mailbox'), name='one_acceptance_per_text'),
        ),
    ]
