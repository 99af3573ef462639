// Press and hold: the pointer's way to confirm. The typed phrase beside it is the keyboard's.
(() => {
  "use strict";
  let timer = 0;
  let held = null;

  function release() {
    clearTimeout(timer);
    held?.classList.remove("holding");
    held = null;
  }

  document.addEventListener("pointerdown", (event) => {
    const button = event.target.closest("[data-hold]");
    if (!button || event.button !== 0) return;
    held = button;
    button.classList.add("holding");
    timer = setTimeout(() => {
      release();
      button.form.elements.phrase.value = button.dataset.phrase;
      button.form.requestSubmit();
    }, Number(button.dataset.hold));
  });
  for (const end of ["pointerup", "pointercancel", "blur"]) window.addEventListener(end, release);
  document.addEventListener("pointerout", (event) => { if (event.target === held) release(); });
  // A finger that rests must not open the browser's own menu.
  document.addEventListener("contextmenu", (event) => { if (event.target.closest("[data-hold]")) event.preventDefault(); });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-hold]");
    // detail 0: Enter or Space, or a voice command. A short press does nothing.
    if (button && event.detail === 0) button.form.elements.phrase.focus();
  });
})();
