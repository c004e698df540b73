"""The mails in a browser: nothing runs over the edge of a telephone, and the contrast holds in both colour schemes."""

import shutil

import pytest
from playwright.sync_api import sync_playwright

from notifications import rendering, services
from notifications.catalog import Message
from tests.notifications.letters import NOON, VALUES, context_of, draft_of

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
LONG = {
    "centre_name": "Consiglio dell'Ordine degli Ingegneri e degli Architetti della Provincia di Forlì-Cesena",
    "centre_email": "segreteria.rinnovi.certificati@ordineingegneriarchitetti-forlicesena.example",
    "purchase_url": "https://ordine.example/acquisto/" + "carta-nazionale-dei-servizi-" * 5,
    "client_url": "https://sigillo.example/programma/" + "x" * 120,
}
pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian package chromium)"),
]

TOO_FAINT = """() => {
  const channel = value => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const parse = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const ground = element => {
    for (; element; element = element.parentElement) {
      const colour = parse(getComputedStyle(element).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const faint = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || !element.offsetParent) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(ground(element))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) faint.push(walk.currentNode.textContent.trim());
  }
  return faint;
}"""


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module", params=["light", "dark"])
def telephone(browser, request):
    page = browser.new_page(viewport={"width": 390, "height": 844}, color_scheme=request.param)
    yield page
    page.close()


@pytest.mark.parametrize("message", Message)
def test_a_mail_is_readable_on_a_telephone(telephone, message):
    long = {key: value for key, value in LONG.items() if key in context_of(message)}
    for context in (context_of(message), {**context_of(message), **long}):
        telephone.set_content(rendering.render(services._row(draft_of(message, context=context), NOON)).html)

        assert telephone.evaluate("document.documentElement.scrollWidth") <= 390
        assert telephone.evaluate(TOO_FAINT) == []


def test_every_long_value_replaces_a_real_one():
    assert set(LONG) <= set(VALUES)
