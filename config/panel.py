"""The panel put together: which pages it has, in the order of its sidebar."""

from __future__ import annotations

from cms.admin.certificates import CertificateAdmin
from cms.admin.site import site
from cms.admin.stocks import StockAdmin
from cms.models import Certificate, Event, Stock
from renewals.admin.cases import RenewalCaseAdmin
from renewals.admin.events import CaseEventAdmin
from renewals.models import RenewalCase

site.register(RenewalCase, RenewalCaseAdmin)
site.register(Event, CaseEventAdmin)
site.register(Certificate, CertificateAdmin)
site.register(Stock, StockAdmin)

__all__ = ["site"]
