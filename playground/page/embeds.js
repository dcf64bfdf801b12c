// The embeds of a message.

import { colour, h, stamp } from "./dom.js";
import { link, markdown } from "./markdown.js";
import { frame } from "./media.js";

export function embeds(items, ctx) {
  const shown = (items ?? []).filter((embed) => !["image", "gifv"].includes(embed.type));
  return shown.length ? h("div", { class: "embeds" }, shown.map((item) => embedNode(item, ctx))) : null;
}

function embedNode(item, ctx) {
  const body = h("div", { class: "embed-body" },
    item.provider?.name ? h("div", { class: "embed-provider" }, item.provider.name) : null,
    item.author?.name ? h("div", { class: "embed-author" }, maybeLink(item.author.url, item.author.name, ctx)) : null,
    item.title ? h("div", { class: "embed-title" }, maybeLink(item.url, markdown(item.title, ctx, { inline: true }), ctx)) : null,
    item.description ? h("div", { class: "embed-description markup" }, markdown(item.description, ctx)) : null,
    embedFields(item.fields, ctx));
  const thumb = item.thumbnail ? h("div", { class: "embed-thumbnail" }, frame(item.thumbnail, ctx, { width: 80, height: 80 })) : null;
  const image = item.image ? h("div", { class: "embed-image" }, frame(item.image, ctx, { width: 400, height: 300 })) : null;
  const style = item.color === undefined || item.color === null ? {} : { "border-left-color": colour(item.color) };
  return h("article", { class: "embed", style }, body, thumb, image, embedFooter(item));
}

const maybeLink = (url, label, ctx) => (url && /^https?:/.test(url) ? link(url, label, ctx) : label);

function embedFields(fields, ctx) {
  if (!fields?.length) return null;
  const rows = fields.map((field) => h("div", { class: field.inline ? "embed-field inline" : "embed-field" },
    h("div", { class: "embed-field-name" }, markdown(field.name, ctx, { inline: true })),
    h("div", { class: "embed-field-value markup" }, markdown(field.value, ctx))));
  return h("div", { class: "embed-fields" }, rows);
}

function embedFooter(item) {
  const parts = [item.footer?.text, item.timestamp ? stamp(new Date(item.timestamp)) : null].filter(Boolean);
  return parts.length ? h("div", { class: "embed-footer" }, parts.join(" • ")) : null;
}
