"""Pages of renewals on the panel."""

from cms.admin.site import site
from renewals.admin.cases import RenewalCaseAdmin
from renewals.models import RenewalCase

site.register(RenewalCase, RenewalCaseAdmin)
