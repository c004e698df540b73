// Looks again every two seconds at a page whose work is under way, and puts the new part in place of the old one.
// Once the work has ended the page is loaded anew, counters of the sidebar included. Without it the page reloads by
// itself (see admin/parts/refresh.html).
"use strict";
(function () {
  const SECONDS = 2;

  // Whoever stands on a link of the old part stands on the same link of the new one.
  function put(shown, fresh) {
    const held = shown.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    shown.replaceWith(fresh);
    if (held === null) return;
    const same = Array.from(fresh.querySelectorAll("a[href]")).find((link) => link.getAttribute("href") === held);
    if (same) same.focus();
  }

  async function look() {
    const shown = document.querySelector("[data-live=running]");
    if (!shown) return;
    try {
      // The header tells the server that nobody clicked: looking keeps no session alive.
      const headers = { "X-Looking-Again": "1" };
      const answer = await fetch(window.location.href, { credentials: "same-origin", redirect: "manual", headers });
      if (!answer.ok) return void window.location.reload();
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-live]");
      if (fresh && fresh.dataset.live !== "running") return void window.location.reload();
      if (fresh) put(shown, document.importNode(fresh, true));
    } catch {
      // The server is away for a moment: the next look says more.
    }
    window.setTimeout(look, SECONDS * 1000);
  }

  window.setTimeout(look, SECONDS * 1000);
})();
