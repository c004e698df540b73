// Selecting several rows: one box for all of the page, and how many are picked in words. Without it the boxes work alone
// and the style sheet counts them.
"use strict";
(function () {
  const form = document.querySelector("form.selection");
  const all = form && form.querySelector("[data-all]");
  if (!all) return;
  const boxes = Array.from(form.querySelectorAll("input[name=pratica]"));
  const said = form.querySelector("[data-picked]");

  function count() {
    const picked = boxes.filter((box) => box.checked).length;
    all.checked = picked === boxes.length;
    all.indeterminate = picked > 0 && picked < boxes.length;
    said.textContent = picked === 1 ? said.dataset.one : said.dataset.many.replace("%d", String(picked));
  }

  all.hidden = false;
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    count();
  });
  form.addEventListener("change", count);
  window.addEventListener("pageshow", count);
})();
