// Says shortly before the session ends that it will, and prolongs it on a click. Without it the server still ends the
// session, explains it at the login and leads back to the page.
"use strict";
(function () {
  const WARN_SECONDS = 120;
  const bar = document.querySelector("[data-session-seconds]");
  if (!bar) return;
  const [soon, over] = bar.querySelectorAll("[data-session-part]");
  const left = bar.querySelector("[data-session-left]");
  let ends = Date.now() + Number(bar.dataset.sessionSeconds) * 1000;
  let timer = 0;

  function show() {
    window.clearTimeout(timer);
    const seconds = Math.round((ends - Date.now()) / 1000);
    bar.hidden = seconds > WARN_SECONDS;
    soon.hidden = seconds <= 0;
    over.hidden = seconds > 0;
    if (seconds > 0) left.textContent = seconds > 60 ? `${Math.ceil(seconds / 60)} min` : `${seconds} s`;
    if (seconds <= 0) return;
    // Quiet while far away; each ten seconds while the warning stands, so that screen readers are not flooded.
    const wait = seconds > WARN_SECONDS ? Math.min(seconds - WARN_SECONDS, 60) : Math.min(seconds, 10);
    timer = window.setTimeout(show, Math.max(1, wait) * 1000);
  }

  bar.querySelector("button").addEventListener("click", async () => {
    const token = bar.querySelector("[name=csrfmiddlewaretoken]").value;
    try {
      const answer = await fetch(bar.dataset.sessionStay, { method: "POST", headers: { "X-CSRFToken": token } });
      const seconds = answer.ok ? (await answer.json()).seconds : 0;
      ends = Date.now() + seconds * 1000;
    } catch {
      // The server is away for a moment: the warning stays where it is.
    }
    show();
  });
  document.addEventListener("visibilitychange", show);
  show();
})();
