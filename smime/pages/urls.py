"""Addresses of the customer area and of mailed links. No name, mailbox or code of a person ever stands in one."""

from __future__ import annotations

from django.urls import path

from smime.pages import (
    addresses,
    alternative,
    attestation,
    certificate,
    delivery,
    home,
    mailed,
    renewing,
    status,
    welcome,
    wizard,
)

app_name = "smime"

urlpatterns = [
    path("", home.dashboard, name="dashboard"),
    path("lingua/", home.language, name="language"),
    path("benvenuto/<str:token>/", welcome.open_account, name="welcome"),
    path("attivazioni/<str:code>/attiva/", wizard.start, name="start"),
    path("indirizzi/", addresses.mine, name="own_addresses"),
    path("indirizzi/togli/", addresses.remove, name="remove_address"),
    path("indirizzi/conferma/<str:token>/", addresses.confirm, name="own_address"),
    path("pratiche/", home.orders, name="orders"),
    path("pratiche/<uuid:uid>/", status.show, name="order"),
    path("pratiche/<uuid:uid>/destinatario/", wizard.recipient, name="destinatario"),
    path("pratiche/<uuid:uid>/conferma/", wizard.confirmation, name="conferma"),
    path("pratiche/<uuid:uid>/contatto-tecnico/", wizard.technical_contact, name="contatto-tecnico"),
    path("pratiche/<uuid:uid>/contatto-organizzativo/", wizard.organisation_contact, name="contatto-organizzativo"),
    path("pratiche/<uuid:uid>/organizzazione/", wizard.organisation, name="organizzazione"),
    path("pratiche/<uuid:uid>/attestazione/", attestation.attestation_step, name="attestazione"),
    path("pratiche/<uuid:uid>/chiave/", wizard.key, name="key"),
    path("pratiche/<uuid:uid>/riepilogo/", status.summary, name="riepilogo"),
    path("pratiche/<uuid:uid>/invia-di-nuovo/<slug:kind>/", status.resend, name="resend"),
    path("pratiche/<uuid:uid>/scarica/", delivery.download, name="download"),
    path("pratiche/<uuid:uid>/copia/", delivery.keep, name="keep"),
    path("pratiche/<uuid:uid>/elimina/", delivery.destroy, name="destroy"),
    path("pratiche/<uuid:uid>/ritiro/", delivery.mail_again, name="mail_download"),
    path("pratiche/<uuid:uid>/revoca/", certificate.revoke, name="revoke"),
    path("pratiche/<uuid:uid>/nuova-emissione/", certificate.reissue, name="reissue"),
    path("pratiche/<uuid:uid>/rinnova/", renewing.renew, name="renew"),
    path("installazione/", delivery.guides, name="guides"),
    path("pratiche/<uuid:uid>/annulla/", status.cancel, name="cancel"),
    path("link/casella/<str:token>/", mailed.confirm_mailbox, name="mailbox_link"),
    path("link/consenso/<str:token>/", mailed.give_consent, name="consent_link"),
    path("link/riconoscimento/<str:token>/", mailed.start_identification, name="identification_link"),
    path("link/riconoscimento/esito/<slug:end>/", mailed.identification_ended, name="identification_ended"),
    path("link/alternativa/<str:token>/", alternative.data, name="alternative_link"),
    path("link/alternativa/<str:token>/controllo/", alternative.check, name="alternative_check"),
    path("link/alternativa/<str:token>/file/", alternative.upload, name="alternative_upload"),
    path("link/alternativa/<str:token>/esito/", alternative.outcome, name="alternative_outcome"),
    path("link/ritiro/<str:token>/", delivery.collect, name="download_link"),
    path("link/<slug:kind>/<str:token>/nuovo/", mailed.send_again, name="link_again"),
]
