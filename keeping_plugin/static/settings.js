// What makes the settings pleasant; every page works without it. On a host's page it attends the
// tile's button alone.

import { isOwnPage, own } from "./own.js";

const MINUTES = 60_000;
const AWAITED = "keeping-login"; // in the window's session: the login that it waits for

// Login in a window of its own ----------------------------------------------------------------

function openLogin(event) {
  const form = event.currentTarget;
  const number = crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint32Array(4))).join("-");
  const login = window.open("", "keeping-login", "popup,width=520,height=720");
  if (!login) return; // pop-ups are blocked: the form goes on in this window
  form.target = "keeping-login";
  form.querySelector("[name=window]")?.remove();
  const field = document.createElement("input");
  field.type = "hidden";
  field.name = "window";
  field.value = number;
  form.append(field);
  const until = Date.now() + 10 * MINUTES;
  sessionStorage.setItem(AWAITED, JSON.stringify({ number, until }));
  awaitLogin(form.dataset, { number, until });
}

function awaitLogin({ status, back }, { number, until }) {
  const settings = own(back);
  const channel = new BroadcastChannel("keeping-login");
  let timer = 0;
  const finish = () => {
    clearTimeout(timer);
    sessionStorage.removeItem(AWAITED);
    channel.close();
    // The same address again would only scroll.
    if (settings.href === location.href) location.reload();
    else location.assign(settings);
  };
  channel.onmessage = (event) => {
    if (event.origin === location.origin && event.data?.window === number) finish();
  };
  // A browser without a word from the window still learns the end of it.
  const look = async () => {
    try {
      const answer = await fetch(`${own(status)}?window=${encodeURIComponent(number)}`, { mode: "same-origin", credentials: "same-origin" });
      if (answer.ok && (await answer.json()).finished) return finish();
    } catch {
      // offline for a moment: the next look tells
    }
    if (Date.now() < until) timer = setTimeout(look, 3000);
  };
  timer = setTimeout(look, 5000);
}

// Unsaved changes -----------------------------------------------------------------------------

// `state` tells what would be saved; `begun` says that the page came with changes already.
function attendChanges(form, state, begun = false) {
  const unsaved = form.querySelector("[data-k-unsaved]");
  const saved = begun ? null : state();
  let leaving = false;
  const changed = () => {
    const is = state() !== saved;
    unsaved.hidden = !is;
    return is;
  };
  form.addEventListener("input", changed);
  form.addEventListener("submit", () => {
    leaving = true;
  });
  window.addEventListener("beforeunload", (event) => {
    if (!leaving && changed()) event.preventDefault();
  });
  window.addEventListener("pageshow", () => {
    leaving = false;
  });
  return { changed, stay: () => { leaving = false; } };
}

// Fields --------------------------------------------------------------------------------------

function attendFields(form) {
  const search = form.querySelector("[data-k-filter]");
  const count = form.querySelector("[data-k-count]");
  const picks = () => [...form.querySelectorAll("[data-k-pick]")];
  const state = () =>
    picks()
      .filter((pick) => pick.querySelector("input[name=fields]:checked, input[type=hidden]"))
      .map((pick) => pick.querySelector("[name=fields]").value)
      .concat([...form.querySelectorAll("input[name=optional]:checked, input[name=finds]:checked")].map((box) => box.value))
      .join();
  const guard = attendChanges(form, state, "kChanged" in form.dataset);
  const list = document.querySelector("[data-k-preview] dl");
  // The panel as it would be: what is ticked, in this order.
  const preview = () => {
    list.replaceChildren();
    for (const pick of picks()) {
      if (!pick.querySelector("input[type=checkbox]").checked) continue;
      const row = document.createElement("div");
      row.className = "k-field";
      row.innerHTML = '<dt class="k-field__label"></dt><dd class="k-field__value"><span class="k-value k-muted"></span></dd>';
      row.querySelector("dt").textContent = pick.querySelector(".ks-pick__label").textContent;
      row.querySelector("span").textContent = pick.dataset.kType;
      list.append(row);
    }
  };
  const changed = () => {
    preview();
    return guard.changed();
  };
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const pick of picks()) {
      pick.hidden = !words.every((word) => pick.dataset.kPick.includes(word));
      found += pick.hidden ? 0 : 1;
    }
    count.textContent = words.length ? `${found} of ${picks().length} fields match` : "";
  };
  const tick = (to) => {
    for (const pick of picks()) {
      const box = pick.querySelector("input[type=checkbox]:not(:disabled)");
      if (box && !pick.hidden) box.checked = to;
    }
    changed();
  };
  const move = (button, where) => {
    const pick = button.closest("[data-k-pick]");
    let other = pick;
    if (where === "top") other = pick.parentElement.firstElementChild;
    else {
      do other = where === "down" ? other.nextElementSibling : other.previousElementSibling;
      while (other?.hidden);
    }
    if (!other || other === pick) return;
    if (where === "down") other.after(pick);
    else other.before(pick);
    // At either end a button has nowhere to go and is hidden.
    const usable = [button, ...pick.querySelectorAll(".ks-move")].find((one) => getComputedStyle(one).visibility === "visible");
    usable.focus();
    tell(pick);
  };
  const tell = (pick) => {
    changed();
    const place = [...pick.parentElement.children].indexOf(pick) + 1;
    const live = document.querySelector("[data-k-live]");
    if (live) live.textContent = `${pick.querySelector(".ks-pick__label").textContent}: position ${place}`;
  };

  for (const only of form.querySelectorAll("[data-k-nojs]")) only.hidden = true;
  search.addEventListener("input", filter);
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
  });
  form.addEventListener("submit", (event) => {
    const [what, name] = (event.submitter?.value ?? "save").split(":");
    if (what === "save") return;
    event.preventDefault();
    guard.stay();
    if (name) move(event.submitter, what);
    else if (what === "all" || what === "none") tick(what === "all");
  });
  form.addEventListener("input", preview);
  drag(form.querySelector("[data-k-shown]"), tell);
  if (search.value) filter();
  changed();
}

// Rows that the mouse takes to another place; the buttons do it by keyboard and by touch.
function drag(list, moved) {
  let taken = null;
  for (const row of list.children) row.draggable = true;
  list.addEventListener("dragstart", (event) => {
    taken = event.target.closest?.("[data-k-pick]");
    event.dataTransfer.effectAllowed = "move";
  });
  list.addEventListener("dragover", (event) => {
    const over = event.target.closest("[data-k-pick]");
    if (!taken || !over) return;
    event.preventDefault();
    const { top, height } = over.getBoundingClientRect();
    if (event.clientY > top + height / 2) over.after(taken);
    else over.before(taken);
  });
  list.addEventListener("dragend", () => {
    if (taken) moved(taken);
    taken = null;
  });
}

// Times in the reader's own words --------------------------------------------------------------

function localTimes(within) {
  for (const time of within.querySelectorAll("time[data-k-time]")) {
    const at = new Date(time.dateTime);
    if (!Number.isNaN(at.getTime())) {
      // As keeping_plugin/locales.py writes them, in the browser's time zone.
      const day = at.toLocaleDateString(time.dataset.kTime, { dateStyle: "long" });
      time.textContent = `${day}, ${at.toLocaleTimeString(time.dataset.kTime, { timeStyle: "short" })}`;
      time.title = time.dateTime;
    }
  }
}

const connects = [...document.querySelectorAll("form[data-k-connect]")].filter(
  (form) => own(form.getAttribute("action")) && own(form.dataset.status) && own(form.dataset.back),
);
for (const form of connects) form.addEventListener("submit", openLogin);
// A page that was loaded again in the middle of a login still waits for its end.
const awaited = JSON.parse(sessionStorage.getItem(AWAITED));
if (connects.length && awaited && Date.now() < awaited.until) awaitLogin(connects[0].dataset, awaited);
if (isOwnPage()) {
  for (const form of document.querySelectorAll("form[data-k-fields]")) attendFields(form);
  for (const form of document.querySelectorAll("form[data-k-guard]")) {
    attendChanges(form, () => new URLSearchParams(new FormData(form)).toString(), "kChanged" in form.dataset);
  }
  localTimes(document);
  // Regions that keeping.js swaps in bring times of their own.
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) {
      for (const node of addedNodes) if (node.nodeType === Node.ELEMENT_NODE) localTimes(node);
    }
  }).observe(document.body, { childList: true, subtree: true });
}
