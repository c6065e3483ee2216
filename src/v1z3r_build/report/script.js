
"use strict";
{
const data = JSON.parse(document.getElementById("data").textContent);
const CODINGS = { raw: 0, gzip: 1, br: 2 };
const NAMES = { raw: "raw", gzip: "gzip", br: "brotli" };
const KINDS = [...new Set(["script", "style", "html", "image", "font", "json", "wasm", "media", "text", "other", ...data.files.map((row) => row[1]), ...data.whole[1].map((row) => row[0])])];
const files = data.files.map(([path, kind, cache, raw, gzip, br, vendor = "", kept = "", sources = [], before = 0], index) =>
  ({ index, path, kind, cache, sizes: [raw, gzip, br], count: 1, vendor, kept, sources, before }));
const $ = (id) => document.getElementById(id);
const make = (tag, text = "", name = "") => {
  const element = document.createElement(tag);
  element.textContent = text;
  if (name) element.className = name;
  return element;
};

// Amounts as the program writes them: three digits, in units of a thousand.
const amount = (bytes) => {
  if (bytes < 1000) return `${bytes} B`;
  let number = bytes / 1000;
  const units = ["kB", "MB", "GB", "TB"];
  while (number >= 999.5 && units.length > 1) { number /= 1000; units.shift(); }
  return `${number.toFixed(number < 9.995 ? 2 : number < 99.95 ? 1 : 0)} ${units[0]}`;
};
const percent = (part, whole) => {
  if (!whole || !part) return "0 %";
  const share = 100 * part / whole;
  return share < 1 ? "< 1 %" : `${Math.round(share)} %`;
};
const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
const base = (path) => path.slice(path.lastIndexOf("/") + 1) || path;

const state = { route: "0", load: "initial", coding: "br", text: "", kind: "", cache: "", zoom: "" };
const sizeOf = (item) => item.sizes[CODINGS[state.coding]];
const total = (items, what = sizeOf) => items.reduce((sum, item) => sum + what(item), 0);

// What is chosen.

const rest = ([kind, cache, count, raw, gzip, br]) =>
  ({ index: -1, path: `${count} more of kind ${kind}`, kind, cache, count, sizes: [raw, gzip, br], vendor: "" });
const loads = () => {
  const row = state.route === "all" ? ["", ...data.all] : state.route === "whole" ? ["", ...data.whole] : data.routes[state.route];
  const initial = [...row[1].map((index) => files[index]), ...row[2].map(rest)];
  const lazy = [...row[3].map((index) => files[index]), ...row[4].map(rest)];
  if (state.route === "whole" || state.load === "initial") return initial;
  return state.load === "lazy" ? lazy : [...initial, ...lazy];
};
const chosen = () => {
  const text = state.text.toLowerCase();
  return loads().filter((item) =>
    (!text || (item.index >= 0 && `${item.path} ${item.vendor}`.toLowerCase().includes(text)))
    && (!state.kind || item.kind === state.kind) && (!state.cache || item.cache === state.cache));
};

// The map: squares as far as they go (Bruls, Huizing, van Wijk: Squarified Treemaps, 2000).

const squarify = (items, weight, box) => {
  const placed = [];
  let { x, y, w, h } = box;
  const sum = total(items, weight);
  let scale = sum ? w * h / sum : 0, start = 0;
  while (start < items.length && w > 0 && h > 0) {
    const side = Math.min(w, h);
    let end = start, area = 0, worst = Infinity;
    const largest = weight(items[start]) * scale;
    while (end < items.length) {
      const next = weight(items[end]) * scale, grown = area + next, depth = grown / side;
      const ratio = Math.max(largest / depth / depth, depth * depth / next);
      if (ratio > worst) break;
      worst = ratio; area = grown; end += 1;
    }
    const depth = area / side;
    let along = 0;
    for (const item of items.slice(start, end)) {
      const length = weight(item) * scale / depth;
      placed.push(w >= h ? { item, x, y: y + along, w: depth, h: length } : { item, x: x + along, y, w: length, h: depth });
      along += length;
    }
    if (w >= h) { x += depth; w -= depth; } else { y += depth; h -= depth; }
    start = end;
  }
  return placed;
};

const map = $("treemap");
const put = (element, { x, y, w, h }) => {
  const left = Math.round(x), top = Math.round(y);
  Object.assign(element.style, { left: `${left}px`, top: `${top}px`, width: `${Math.round(x + w) - left}px`, height: `${Math.round(y + h) - top}px` });
};
const tile = (place, all) => {
  const { item, w, h } = place, size = sizeOf(item);
  const button = make("button", "", `tile k-${item.kind}${item.vendor ? " vendor" : ""}`);
  button.type = "button";
  button.setAttribute("aria-label", `${item.path}, ${item.kind}${item.vendor ? `, library ${item.vendor}` : ""}, ${amount(size)}, ${percent(size, all)}`);
  if (w > 44 && h > 24) {
    button.append(make("span", item.index < 0 ? item.path : base(item.path), w > 220 && h > 90 ? "big" : ""));
    if (h > 42) button.append(make("span", `${amount(size)} · ${percent(size, all)}`, "n"));
  } else {
    button.classList.add("tiny");
  }
  button.dataset.file = item.index;
  button.addEventListener("click", () => details(item, button));
  const tell = () => { $("readout").textContent = `${item.path} — ${item.kind}, ${amount(size)} ${NAMES[state.coding]}, ${percent(size, all)} of what is shown`; };
  button.addEventListener("mouseenter", tell);
  button.addEventListener("focus", tell);
  put(button, place);
  return button;
};
const HEAD = 20;

const draw = () => {
  const items = chosen().filter((item) => !state.zoom || item.kind === state.zoom);
  const all = total(items);
  // The smallest kinds and files are drawn larger than they are, so that a finger or an eye can find them.
  const weight = (item) => Math.max(sizeOf(item), all / 4000, 1);
  const weightOfKind = (group) => Math.max(total(group, weight), all / 80);
  const box = { x: 0, y: 0, w: map.clientWidth, h: map.clientHeight };
  const kinds = KINDS.map((kind) => items.filter((item) => item.kind === kind).sort((a, b) => sizeOf(b) - sizeOf(a) || a.index - b.index))
    .filter((group) => group.length).sort((a, b) => weightOfKind(b) - weightOfKind(a));
  const parts = [];
  for (const { item: group, ...outer } of squarify(kinds, weightOfKind, box)) {
    const kind = group[0].kind, sum = total(group), part = make("div");
    part.setAttribute("role", "group");
    part.setAttribute("aria-label", `${kind}, ${plural(group.reduce((count, item) => count + item.count, 0), "file")}, ${amount(sum)}`);
    const headed = !state.zoom && kinds.length > 1 && outer.w > 60 && outer.h > 56;
    if (headed) {
      const head = make("button", `${kind} ${amount(sum)}`, "head");
      head.type = "button";
      head.setAttribute("aria-label", `${kind}, ${amount(sum)}: fill the map with it`);
      head.addEventListener("click", () => zoom(kind));
      put(head, { ...outer, h: HEAD });
      part.append(head);
    }
    const inner = headed ? { ...outer, y: outer.y + HEAD, h: outer.h - HEAD } : outer;
    part.append(...squarify(group, weight, inner).map((place) => tile(place, all)));
    parts.push(part);
  }
  map.replaceChildren(...(parts.length ? parts : [make("p", state.text || state.kind || state.cache ? "No file matches the filters." : "Nothing: this route loads no file in this way.")]));
  const buttons = map.querySelectorAll("button");
  buttons.forEach((button, index) => { button.tabIndex = index ? -1 : 0; });
  $("back").hidden = !state.zoom;
};
const zoom = (kind) => {
  const before = state.zoom;
  state.zoom = kind;
  draw();
  const target = kind ? map.querySelector("button") : [...map.querySelectorAll(".head")].find((head) => head.textContent.startsWith(`${before} `));
  (target || map.querySelector("button"))?.focus();
};
const goTo = (button) => {
  if (!button) return;
  map.querySelectorAll("[tabindex='0']").forEach((one) => { one.tabIndex = -1; });
  button.tabIndex = 0;
  button.focus();
};
const beside = (buttons, here, sign) => {
  const from = here.getBoundingClientRect(), middle = (box) => (box.left + box.right) / 2;
  const found = buttons.filter((one) => one !== here).map((one) => ({ one, box: one.getBoundingClientRect() }))
    .filter(({ box }) => sign > 0 ? box.top >= from.bottom - 2 : box.bottom <= from.top + 2)
    .map(({ one, box }) => ({ one, far: (sign > 0 ? box.top - from.bottom : from.top - box.bottom) * 4 + Math.abs(middle(box) - middle(from)) }));
  return found.sort((a, b) => a.far - b.far)[0]?.one;
};
map.addEventListener("keydown", (event) => {
  const buttons = [...map.querySelectorAll("button")], at = buttons.indexOf(document.activeElement);
  if (event.altKey || event.ctrlKey || event.metaKey || at < 0) return;
  const groups = [...map.querySelectorAll("[role=group]")], group = groups.indexOf(buttons[at].parentElement);
  const moves = {
    ArrowRight: () => buttons[at + 1],
    ArrowLeft: () => buttons[at - 1],
    ArrowDown: () => beside(buttons, buttons[at], 1),
    ArrowUp: () => beside(buttons, buttons[at], -1),
    PageDown: () => groups[group + 1]?.querySelector("button"),
    PageUp: () => groups[group - 1]?.querySelector("button"),
    Home: () => buttons[0],
    End: () => buttons.at(-1),
  };
  if (event.key === "Escape" && state.zoom) zoom("");
  else if (moves[event.key]) goTo(moves[event.key]());
  else return;
  event.preventDefault();
});
map.addEventListener("focusin", (event) => {
  map.querySelectorAll("[tabindex='0']").forEach((one) => { one.tabIndex = -1; });
  event.target.tabIndex = 0;
});
$("back").addEventListener("click", () => zoom(""));

// One file.

const details = (item, opener) => {
  if (item.index < 0) {
    $("details-h").textContent = item.path;
    $("details-list").replaceChildren(make("dt", "why"), make("dd", "The site has more files than this page lists one by one; these are the smallest of their kind."));
    return open(opener);
  }
  const [raw, gzip, br] = item.sizes;
  const change = item.before ? ` (before ${amount(item.before)}, ${raw <= item.before ? "−" : "+"}${percent(Math.abs(item.before - raw), item.before)})` : "";
  const inRoutes = (place) => data.routes.filter((row) => row[place].includes(item.index)).map((row) => row[0]);
  const listed = (routes) => routes.length > 12 ? `${routes.slice(0, 12).join(", ")} and ${routes.length - 12} more` : routes.join(", ");
  const rows = [
    ["kind", item.kind], ["library", item.vendor], ["raw", amount(raw) + change], ["gzip", amount(gzip)], ["brotli", amount(br)],
    ["cache class", item.cache], ["came from", item.sources.join(", ")], ["left as it was", item.kept],
    ["at once for", listed(inRoutes(1))], ["later for", listed(inRoutes(3))],
  ];
  $("details-h").textContent = item.path;
  $("details-list").replaceChildren(...rows.filter(([, value]) => value).flatMap(([name, value]) => [make("dt", name), make("dd", value)]));
  return open(opener);
};
const open = (opener) => {
  $("details").addEventListener("close", () => opener.isConnected && opener.focus(), { once: true });
  $("details").showModal();
};
$("details").addEventListener("click", (event) => { if (event.target === $("details")) $("details").close(); });

// The list of files.

const table = $("file-table"), body = table.tBodies[0], rows = [...body.rows];
rows.forEach((row, index) => {
  const cell = row.cells[0], button = make("button");
  button.type = "button";
  button.append(...cell.childNodes);
  button.addEventListener("click", () => details(files[index], button));
  cell.append(button);
});
const keys = [
  (file) => file.path, (file) => file.kind, (file) => file.sizes[0], (file) => file.sizes[1], (file) => file.sizes[2],
  (file) => file.before ? (file.sizes[0] - file.before) / file.before : 0, (file) => file.cache,
];
[...table.tHead.rows[0].cells].forEach((cell, column) => {
  const button = make("button", cell.textContent);
  button.type = "button";
  button.addEventListener("click", () => {
    const down = cell.getAttribute("aria-sort") ? cell.getAttribute("aria-sort") === "ascending" : column >= 2 && column <= 4;
    table.querySelectorAll("[aria-sort]").forEach((one) => one.removeAttribute("aria-sort"));
    cell.setAttribute("aria-sort", down ? "descending" : "ascending");
    const value = keys[column], order = files.map((file) => file.index).sort((a, b) => {
      const [one, other] = [value(files[a]), value(files[b])];
      return ((one > other) - (one < other)) * (down ? -1 : 1) || a - b;
    });
    body.append(...order.map((index) => rows[index]));
  });
  cell.replaceChildren(button);
});

// All together.

const everything = total([...data.whole[0].map(() => 1), ...data.whole[1].map((row) => row[2])], (count) => count);

const show = () => {
  const items = chosen(), sum = total(items), count = total(items, (item) => item.count);
  const whole = loads(), lasting = total(items.filter((item) => item.cache === "immutable"));
  const small = (text) => make("small", ` ${text}`);
  $("t-size").replaceChildren(amount(sum), small(NAMES[state.coding]));
  $("t-requests").textContent = count;
  $("t-what").textContent = state.route === "whole" ? "files" : "requests";
  $("t-immutable").replaceChildren(percent(lasting, sum), small(amount(lasting)));
  const vendors = new Map();
  for (const item of items) if (item.vendor) vendors.set(item.vendor, (vendors.get(item.vendor) || 0) + sizeOf(item));
  const libraries = total([...vendors.values()], (size) => size);
  $("t-vendors").replaceChildren(libraries ? percent(libraries, sum) : "–", small([...vendors].map(([name, size]) => `${name} ${amount(size)}`).join(", ") || "none recognised"));
  const filtered = state.text || state.kind || state.cache;
  $("said").textContent = filtered ? `${count} of ${plural(total(whole, (item) => item.count), "file")}, ${percent(sum, total(whole))} of the bytes` : "";
  const present = new Set(items.map((item) => item.kind));
  $("legend").replaceChildren(...KINDS.filter((kind) => present.has(kind)).map((kind) => {
    const entry = make("li");
    const theirs = total(items.filter((item) => item.kind === kind));
    entry.append(make("i", "", `swatch k-${kind}`), `${kind} ${amount(theirs)}`);
    return entry;
  }), ...(vendors.size ? [(() => {
    const entry = make("li");
    entry.append(make("i", "", "swatch k-script vendor"), "library");
    return entry;
  })()] : []));
  const shown = new Set(items.map((item) => item.index));
  rows.forEach((row, index) => { row.hidden = !shown.has(index); });
  const more = items.filter((item) => item.index < 0);
  $("file-foot").textContent = `${items.length - more.length} of ${plural(everything, "file")}, as chosen above the map${more.length ? `; ${total(more, (item) => item.count)} smaller ones, ${amount(total(more))} together, are not listed one by one` : ""}`;
  Object.entries(CODINGS).forEach(([name, place]) => {
    table.querySelectorAll(`.size-${place}`).forEach((cell) => cell.classList.toggle("chosen", name === state.coding));
  });
  document.querySelector("fieldset").disabled = state.route === "whole";
  draw();
};
const option = (value, text) => { const one = make("option", text); one.value = value; return one; };
const start = Math.max(0, data.routes.findIndex((row) => row[0] === "/"));
$("route").append(...(data.routes.length ? [option("all", "All routes together")] : []), option("whole", "Every file of the output"),
  ...data.routes.map((row, index) => option(String(index), row[0])));
const first = data.routes.length ? String(start) : "whole";
$("kind").append(option("", "All"), ...KINDS.filter((kind) => data.whole[1].length || files.some((file) => file.kind === kind)).map((kind) => option(kind, kind)));
$("cache").append(option("", "All"), ...[...new Set(files.map((file) => file.cache))].sort().map((name) => option(name, name)));
const controls = $("controls");
const read = () => {
  const chosen = new FormData(controls);
  Object.assign(state, { route: $("route").value, load: chosen.get("load") || state.load, coding: chosen.get("coding"), text: $("text").value.trim(), kind: $("kind").value, cache: $("cache").value, zoom: "" });
  show();
};
controls.addEventListener("input", read);
controls.addEventListener("submit", (event) => event.preventDefault());
controls.addEventListener("reset", (event) => { event.preventDefault(); begin(); });
const begin = () => {
  controls.querySelectorAll("input[type=radio]").forEach((radio) => { radio.checked = radio.defaultChecked; });
  $("text").value = $("kind").value = $("cache").value = "";
  $("route").value = first;
  read();
};
document.querySelectorAll("#route-table tbody th").forEach((cell, index) => {
  const button = make("button");
  button.type = "button";
  button.append(...cell.childNodes);
  button.addEventListener("click", () => {
    $("route").value = String(index);
    read();
    $("transfer").scrollIntoView();
    $("route").focus({ preventScroll: true });
  });
  cell.append(button);
});
document.documentElement.classList.add("js");
$("live").hidden = false;
begin();
let width = map.clientWidth;
new ResizeObserver(() => { if (map.clientWidth !== width) { width = map.clientWidth; draw(); } }).observe(map);
}
