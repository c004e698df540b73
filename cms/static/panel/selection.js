// Selecting several rows: one box for all of the page, and how many are picked in words. Without it the boxes work alone
// and the style sheet counts them.
"use strict";
(function () {
  const form = document.querySelector("form.selection");
  const alls = form ? Array.from(form.querySelectorAll("[data-all]")) : [];
  if (!alls.length) return;
  const boxes = Array.from(form.querySelectorAll("input[name=pratica]"));
  const said = form.querySelector("[data-picked]");

  function count() {
    const picked = boxes.filter((box) => box.checked).length;
    for (const all of alls) {
      all.checked = picked === boxes.length;
      all.indeterminate = picked > 0 && picked < boxes.length;
    }
    said.textContent = picked === 1 ? said.dataset.one : said.dataset.many.replace("%d", String(picked));
  }

  for (const all of alls) {
    all.hidden = false;
    if (all.parentElement.matches("label")) all.parentElement.hidden = false;
    all.addEventListener("change", () => {
      for (const box of boxes) box.checked = all.checked;
      count();
    });
  }
  form.addEventListener("change", count);
  window.addEventListener("pageshow", count);
})();
