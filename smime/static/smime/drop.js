// Drag and drop for the file field: an enhancement. Without it the field chooses files as ever.
"use strict";

for (const box of document.querySelectorAll("[data-drop]")) {
  const field = box.querySelector('input[type="file"]');
  const name = box.querySelector("[data-drop-name]");
  box.classList.add("enhanced");
  box.querySelector("[data-drop-hint]").hidden = false;

  const show = () => {
    name.textContent = field.files.length ? field.files[0].name : "";
    box.querySelector("[data-drop-again]")?.remove();
  };
  const light = (event, on) => {
    event.preventDefault();
    box.classList.toggle("over", on);
  };

  field.addEventListener("change", show);
  box.addEventListener("dragenter", (event) => light(event, true));
  box.addEventListener("dragover", (event) => light(event, true));
  box.addEventListener("dragleave", (event) => light(event, box.contains(event.relatedTarget)));
  box.addEventListener("drop", (event) => {
    light(event, false);
    if (event.dataTransfer.files.length) {
      field.files = event.dataTransfer.files;
      show();
    }
  });
}
