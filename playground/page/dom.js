// Building blocks of the page: elements, icons, avatars, dates. Knows nothing about messages or commands.
// Text always enters the document as text nodes; nothing here or elsewhere assigns HTML.

const SVG = "http://www.w3.org/2000/svg";

/** Create an element. Props: `class`, `style` (object), `on…` listeners, other functions/booleans as properties, rest as attributes. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) setProperty(element, name, value);
  append(element, children);
  return element;
}

function setProperty(element, name, value) {
  if (value === undefined || value === null) return;
  if (name === "class") element.className = value;
  else if (name === "style") for (const [key, item] of Object.entries(value)) element.style.setProperty(key, item);
  else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else if (typeof value === "boolean" && !name.startsWith("aria-") && !name.startsWith("data-")) element[name] = value;
  else if (name === "value") element.value = value;
  else element.setAttribute(name, String(value));
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
}

export function fragment(...children) {
  const result = document.createDocumentFragment();
  append(result, children);
  return result;
}

function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// 24 × 24, stroked with the text colour.
const ICONS = {
  hash: "M9 4 7 20M17 4l-2 16M4.5 9h16M3.5 15h16",
  at: "M16 8v5a2.5 2.5 0 0 0 5 0v-1a9 9 0 1 0-4 7.5M16 12a4 4 0 1 1-8 0 4 4 0 0 1 8 0",
  menu: "M4 7h16M4 12h16M4 17h16",
  people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7M2.5 20c0-4 3-6 6.5-6s6.5 2 6.5 6M16 4.5a3.5 3.5 0 0 1 0 6.5M18 14.5c2.2.8 3.5 2.7 3.5 5.5",
  close: "M6 6l12 12M18 6 6 18",
  plus: "M12 5v14M5 12h14",
  smile: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18M8 14c1 1.8 2.4 2.6 4 2.600s3-.8 4-2.600M9 9.500v.1M15 9.500v.1",
  dots: "M5.5 12v.1M12 12v.1M18.5 12v.1",
  reply: "M10 6 4 12l6 6M4.5 12H14c4 0 6 2.5 6 6",
  curve: "M4 16v-3a5 5 0 0 1 5-5h11M16 4l4 4-4 4",
  file: "M6 3h8l5 5v13H6zM14 3v5h5",
  upload: "M12 16V5M7 9.5 12 4.500l5 5M5 19.500h14",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  down: "M12 5v13M6.5 13l5.5 5.500L17.5 13",
  chevron: "M6 9.500l6 6 6-6",
  right: "M9.5 6l6 6-6 6",
  left: "M14.5 6l-6 6 6 6",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6",
  external: "M13 4h7v7M20 4 11 13M17 14v6H4V7h6",
  warning: "M12 4 2.5 20h19zM12 10v4.500M12 17v.1",
  trash: "M5 7h14M10 4h4M7 7l1 13h8l1-13M10.5 11v5.500M13.5 11v5.5",
  copy: "M9 9h11v11H9zM15 9V4H4v11h5",
  apps: "M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM17 14v6M14 17h6",
  slash: "M14.5 4 9.5 20M3.5 3.500h17v17h-17z",
  id: "M3 5h18v14H3zM8 9v6M12 9v6h1.500a3 3 0 0 0 0-6z",
  chat: "M4 4h16v12H10l-5 4v-4H4z",
  send: "M4 4l17 8-17 8 3-8zM7 12h14",
  check: "M5 12.500l4.5 4.500L19 7.5",
};

export function icon(name, size = 20) {
  const path = svg("path", { d: ICONS[name], fill: "none", stroke: "currentColor", "stroke-width": "2", "stroke-linecap": "round", "stroke-linejoin": "round" });
  return svg("svg", { class: "icon", viewBox: "0 0 24 24", width: size, height: size, "aria-hidden": "true", focusable: "false" }, path);
}

const AVATAR_COLOURS = ["#5865f2", "#3ba55d", "#c27c0e", "#b9388a", "#1f8b8b", "#a84300", "#7a5af5"];
const STAR = "M16 5.500l2.7 7.8 7.8 2.7-7.8 2.700L16 26.500l-2.7-7.800L5.5 16l7.8-2.700z";

/** A person's picture: the one the server has, or one drawn here from the name. */
export function avatar(user, source = null, size = 40) {
  if (source) return h("img", { class: "avatar", src: source, alt: "", width: size, height: size });
  const colour = AVATAR_COLOURS[Number(BigInt(user.id ?? 0) % BigInt(AVATAR_COLOURS.length))];
  const mark = user.bot
    ? svg("path", { d: STAR, fill: "#fff" })
    : svg("text", { x: "16", y: "21.5", "text-anchor": "middle", fill: "#fff", "font-size": "15", "font-weight": "600" }, initial(user));
  const back = svg("circle", { cx: "16", cy: "16", r: "16", fill: user.bot ? "#4752c4" : colour });
  return svg("svg", { class: "avatar", viewBox: "0 0 32 32", width: size, height: size, "aria-hidden": "true" }, back, mark);
}

function initial(user) {
  return [...(user.global_name || user.username || "?")][0].toUpperCase();
}

/** An emoji of the API (`{name, id}`) as a node; custom ones without a picture of ours show their name. */
export function emojiNode(emoji) {
  if (!emoji || !(emoji.name || emoji.id)) return null;
  const text = emoji.id ? `:${emoji.name || "emoji"}:` : emoji.name;
  return h("span", { class: emoji.id ? "emoji emoji-custom" : "emoji", "aria-hidden": "true" }, text);
}

/** The mark beside an application's name. */
export const badge = () => h("span", { class: "badge" }, "APP");

/** Three dots that move while something is awaited. */
export const dots = () => h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i"));

/** A colour of the API, a whole number of 24 bits, as CSS writes it. */
export const colour = (value) => `#${(value & 0xffffff).toString(16).padStart(6, "0")}`;

// Dates -----------------------------------------------------------------------------------------------------------

const format = (options) => new Intl.DateTimeFormat("en-US", options);
const CLOCK = format({ hour: "numeric", minute: "2-digit" });
const NUMERIC = format({ month: "numeric", day: "numeric", year: "numeric" });
const LONG = format({ month: "long", day: "numeric", year: "numeric" });
const FULL = format({ weekday: "long", month: "long", day: "numeric", year: "numeric", hour: "numeric", minute: "2-digit" });
const DAY = 86_400_000;

export const clockTime = (date) => CLOCK.format(date);
export const longDate = (date) => LONG.format(date);
export const fullDate = (date) => FULL.format(date);

const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();

/** "Today at 1:12 PM", "Yesterday at …", or the date, as Discord stamps messages. */
export function stamp(date, now = new Date()) {
  const days = Math.round((midnight(now) - midnight(date)) / DAY);
  if (days === 0) return `Today at ${CLOCK.format(date)}`;
  if (days === 1) return `Yesterday at ${CLOCK.format(date)}`;
  return `${NUMERIC.format(date)} ${CLOCK.format(date)}`;
}

const RELATIVE = new Intl.RelativeTimeFormat("en-US", { numeric: "auto" });
const UNITS = [["year", 31_536_000], ["month", 2_592_000], ["day", 86_400], ["hour", 3600], ["minute", 60], ["second", 1]];

export function relativeTime(date, now = new Date()) {
  const seconds = Math.round((date - now) / 1000);
  const [unit, length] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? UNITS.at(-1);
  return RELATIVE.format(Math.round(seconds / length), unit);
}

const STYLES = {
  t: clockTime,
  T: (date) => format({ hour: "numeric", minute: "2-digit", second: "2-digit" }).format(date),
  d: (date) => NUMERIC.format(date),
  D: longDate,
  f: (date) => `${LONG.format(date)} ${CLOCK.format(date)}`,
  F: fullDate,
  R: relativeTime,
};

/** `<t:seconds:style>` of Discord's markdown. Relative ones are refreshed by `refreshTimes`. */
export function timestampNode(seconds, style = "f") {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return null;
  const props = { class: "timestamp", datetime: date.toISOString(), title: fullDate(date) };
  if (style === "R") props["data-relative"] = String(seconds);
  return h("time", props, STYLES[style](date));
}

export function refreshTimes(root = document) {
  for (const node of root.querySelectorAll("time[data-relative]")) node.textContent = relativeTime(new Date(node.dataset.relative * 1000));
}

/** The moment a snowflake was made. */
export const snowflakeDate = (id) => new Date(Number((BigInt(id) >> 22n) + 1_420_070_400_000n));

export function fileSize(bytes) {
  if (bytes < 1024) return `${bytes} bytes`;
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(2)} KB`;
  return `${(bytes / 1024 / 1024).toFixed(2)} MB`;
}
