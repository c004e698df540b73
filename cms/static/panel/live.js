// Looks again every two seconds at a page whose work is under way, and puts the new part in place of the old one.
// Without it the page reloads by itself (see admin/parts/refresh.html).
"use strict";
(function () {
  const SECONDS = 2;

  async function look() {
    const shown = document.querySelector("[data-live=running]");
    if (!shown) return;
    try {
      const answer = await fetch(window.location.href, { credentials: "same-origin", redirect: "manual" });
      if (!answer.ok) return void window.location.reload();
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-live]");
      if (fresh && !shown.contains(document.activeElement)) shown.replaceWith(document.importNode(fresh, true));
    } catch {
      // The server is away for a moment: the next look says more.
    }
    window.setTimeout(look, SECONDS * 1000);
  }

  window.setTimeout(look, SECONDS * 1000);
})();
