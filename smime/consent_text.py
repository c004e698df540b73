"""What a recipient consents to: version and hash of exactly what is shown to him, in the language that he reads."""

from __future__ import annotations

import hashlib
from functools import cache

from smime.terms import Text

KIND = "biometric-consent"
VERSION = "2026-11"
_TITLES = {
    "it": "Consenso al trattamento dei dati personali e biometrici",
    "en": "Consent to the processing of personal and biometric data",
}
_BODIES = {
    "it": """1. Scopo. Per emettere il certificato il prestatore deve accertare la Sua identità. Lo fa confrontando la \
fotografia del Suo volto con quella del Suo documento: sono dati biometrici, che possono essere trattati solo con il \
Suo consenso esplicito (articolo 9, paragrafo 2, lettera a, del Regolamento UE 2016/679).
2. Quali dati. Nome, cognome e dati del documento di identità, fotografie del documento e del volto, esito del \
confronto, indirizzo IP e orari del riconoscimento.
3. Chi li tratta. Il riconoscimento è eseguito da iDenfy, responsabile del trattamento, nell'Unione europea. Un \
operatore del prestatore confronta le fotografie e decide: la decisione non è mai soltanto automatica.
4. Per quanto tempo. I dati presso iDenfy sono cancellati dopo la decisione. Il prestatore conserva cifrate le prove \
del riconoscimento per il tempo richiesto dai CA/Browser Forum S/MIME Baseline Requirements, almeno due anni dopo la \
scadenza del certificato.
5. La Sua scelta. Il consenso è libero. Se non lo dà, o se lo ritira, può farsi riconoscere con una firma elettronica \
qualificata, con lo stesso valore.
6. Ritiro. Può ritirare il consenso in ogni momento, dal collegamento ricevuto per e-mail o rivolgendosi al CDRL. Il \
ritiro non tocca quanto fatto prima; le fotografie del volto sono cancellate.
""",
    "en": """1. Purpose. To issue the certificate the provider must establish your identity. It compares a photo of \
your face with the one on your document: these are biometric data, which may be processed only with your explicit \
consent (article 9(2)(a) of Regulation (EU) 2016/679).
2. Which data. Given name, surname and data of the identity document, photos of document and face, outcome of the \
comparison, IP address and times of the identification.
3. Who processes them. The identification is carried out by iDenfy, as processor, in the European Union. An officer of \
the provider compares the photos and decides: the decision is never taken by a machine alone.
4. For how long. The data at iDenfy are erased after the decision. The provider keeps the evidence encrypted for as \
long as the CA/Browser Forum S/MIME Baseline Requirements ask, at least two years after the certificate has expired.
5. Your choice. Consent is free. If you do not give it, or withdraw it, you can be identified by a qualified \
electronic signature, which has the same value.
6. Withdrawal. You can withdraw your consent at any time, by the link that you received by e-mail or by asking the \
registration centre. What was done before stays lawful; photos of your face are erased.
""",
}


@cache
def in_force(language: str) -> Text:
    """Return the text in Italian or English; other languages read the Italian one."""
    spoken = language if language in _BODIES else "it"
    body = _BODIES[spoken]
    return Text(KIND, VERSION, _TITLES[spoken], body, hashlib.sha256(body.encode()).hexdigest())
