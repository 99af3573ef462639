// Narrow the form to what is looked for, and say what is typed but not saved.
(() => {
  "use strict";
  const filter = document.getElementById("filter");
  const onlyChanged = document.getElementById("only-changed");
  const rows = [...document.querySelectorAll(".field")];
  const form = document.querySelector("form.cfg");

  function narrow() {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const fits = words.every((word) => row.dataset.words.includes(word));
      row.hidden = !fits || (onlyChanged.checked && !("own" in row.dataset));
      if (!row.hidden) shown += 1;
    }
    for (const section of form.querySelectorAll("section")) {
      section.hidden = !section.querySelector(".field:not([hidden])");
    }
    document.getElementById("found").textContent = shown < rows.length ? `${shown} of ${rows.length} fields` : "";
  }

  function isEdited(control) {
    if (control.type === "checkbox") return control.checked !== control.defaultChecked;
    if (control.tagName === "SELECT") return !control.selectedOptions[0]?.defaultSelected;
    return control.value !== control.defaultValue;
  }

  function mark(event) {
    const row = event.target.closest(".field");
    if (!row) return;
    const controls = [...row.querySelectorAll(".val > input, .val > select, .val > textarea, .several input[type=checkbox]")];
    row.classList.toggle("edited", controls.some(isEdited));
    const edited = form.querySelectorAll(".edited").length;
    document.getElementById("unsaved").textContent = edited ? `${edited} field${edited > 1 ? "s" : ""} edited, not saved` : "";
  }

  function fill(event) {
    const button = event.target.closest("[data-fill]");
    if (!button) return;
    const control = document.getElementById(button.dataset.fill);
    control.value = button.dataset.value;
    control.dispatchEvent(new Event("input", { bubbles: true }));
    control.focus();
  }

  form.addEventListener("click", fill);
  filter.addEventListener("input", narrow);
  onlyChanged.addEventListener("change", narrow);
  form.addEventListener("input", mark);
  document.addEventListener("keydown", (event) => { if (event.key === "Enter" && event.target === filter) event.preventDefault(); });
})();
