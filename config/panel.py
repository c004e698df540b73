"""The panel put together: which pages it has, in the order of its sidebar."""

from __future__ import annotations

from cms.admin.agreements import CentresPage
from cms.admin.checks import ChecksPage
from cms.admin.imports import ImportPage
from cms.admin.people import PeoplePage
from cms.admin.purchases import PurchasePage
from cms.admin.service_pages import ServicesPage
from cms.admin.site import site
from cms.admin.stocks import StockAdmin
from cms.models import Certificate, Event, Job, Stock
from config.watch_page import WatchPage
from notifications.models import OutboxMessage
from renewals.admin.campaigns import CampaignsPage
from renewals.admin.cases import RenewalCaseAdmin
from renewals.admin.certificates import CaseCertificateAdmin
from renewals.admin.dashboard import DashboardPage
from renewals.admin.events import CaseEventAdmin
from renewals.admin.messages import MessageAdmin
from renewals.admin.operations import CaseJobAdmin
from renewals.admin.rehearsal import RehearsalPage
from renewals.admin.stops import StopPage
from renewals.admin.support import SupportAdmin
from renewals.models import RenewalCase, SupportRequest
from smime.admin.checks import ChecksPage as SmimeChecksPage
from smime.admin.orders import OrdersPage
from smime.admin.slots import SlotsPage

site.show(DashboardPage)
site.show(RenewalCaseAdmin, RenewalCase)
site.show(CaseJobAdmin, Job)
site.show(CaseEventAdmin, Event)
site.show(CaseCertificateAdmin, Certificate)
site.show(RehearsalPage)
site.show(StockAdmin, Stock)
site.show(PurchasePage)
site.show(MessageAdmin, OutboxMessage)
site.show(OrdersPage)
site.show(SmimeChecksPage)
site.show(SlotsPage)
site.show(SupportAdmin, SupportRequest)
site.show(ImportPage)
site.show(PeoplePage)
site.show(CentresPage)
site.show(ServicesPage)
site.show(CampaignsPage)
site.show(StopPage)
site.show(ChecksPage)
site.show(WatchPage)

__all__ = ["site"]
