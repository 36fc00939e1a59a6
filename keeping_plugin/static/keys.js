// Keys, how old the records are, and the way back to where somebody was before.

const OFF = "keeping-keys";
const TYPED = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";
const cameFrom = new WeakMap(); // root -> what had the focus before the panel

function isOff() {
  try {
    return localStorage.getItem(OFF) === "off";
  } catch {
    return false; // a browser that keeps nothing
  }
}

function onShortcut(event) {
  const { currentTarget: root, target, key } = event;
  if (event.cancelBubble || event.defaultPrevented || event.isComposing || event.repeat) return;
  if (event.ctrlKey || event.metaKey || event.altKey || target.matches(TYPED)) return;
  if (key === "Escape") {
    cameFrom.get(root)?.focus(); // no editor is open, for that takes Esc
    return;
  }
  if (isOff() || key.length !== 1) return;
  const pressed = `[data-k-key="${CSS.escape(key)}"]`;
  const to = target.closest(".k-record")?.querySelector(pressed) ?? root.querySelector(pressed);
  if (!to) return;
  event.preventDefault();
  if (key !== "?" && root.querySelector("[data-k-keep]")) return; // nothing that is being typed goes
  to.focus({ preventScroll: true });
  to.click();
}

function ago(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return minutes ? `${minutes} min ago` : "just now";
  return `${Math.floor(minutes / 60)} h ago`;
}

// What a fragment brings that needs a script.
export function readyKeys(within) {
  for (const one of within.querySelectorAll("[data-k-script]")) one.hidden = false;
  for (const box of within.querySelectorAll("[data-k-keys]")) box.checked = !isOff();
  for (const age of within.querySelectorAll("[data-k-age]")) {
    age.readAt = Date.now() - 1000 * age.dataset.kAge;
  }
}

export function attendKeys(root) {
  root.addEventListener("keydown", onShortcut);
  root.addEventListener("change", ({ target }) => {
    if (target.matches("[data-k-keys]")) localStorage.setItem(OFF, target.checked ? "on" : "off");
  });
  setInterval(() => {
    for (const age of root.querySelectorAll("[data-k-age]")) {
      const seconds = (Date.now() - age.readAt) / 1000;
      if (seconds < 86400) age.textContent = ago(seconds);
    }
  }, 20000);
  if (!(root instanceof ShadowRoot)) return;
  // A host's link to #keeping-panel leads in; Esc leads back, to the id in its data-keeping-from.
  const door = root.host.previousElementSibling;
  const comes = ({ relatedTarget: from }) => {
    if (!from || from === door) return;
    cameFrom.set(root, document.getElementById(from.dataset.keepingFrom) ?? from);
  };
  root.host.addEventListener("focus", comes);
  if (door?.id !== "keeping-panel") return;
  door.addEventListener("focus", (event) => {
    comes(event);
    const region = root.getElementById("k-panel");
    region.tabIndex = -1;
    region.focus({ preventScroll: true });
  });
}
