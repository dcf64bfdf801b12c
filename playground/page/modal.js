// The forms (modals) a bot opens.

import { selectMenu } from "./components.js";
import { avatar, h, icon } from "./dom.js";
import { markdown } from "./markdown.js";
import { openDialog } from "./popup.js";

/** Show a modal of the API; `submit(components)` resolves to null, or to the words for a failure. */
export function openModal(modal, ctx, submit) {
  const inputs = [];
  const rows = modal.components.map((row) => modalRow(row, ctx, inputs));
  const problem = h("div", { class: "modal-error", role: "alert", hidden: true });
  const cancel = h("button", { type: "button", class: "btn btn-plain", onclick: () => dialog.close() }, "Cancel");
  const confirm = h("button", { type: "submit", class: "btn btn-1" }, "Submit");
  const send = async (event) => {
    event.preventDefault();
    const wrong = inputs.filter((input) => input.complain());
    if (wrong.length) return wrong[0].node.focus();
    confirm.disabled = true;
    const failure = await submit(rows.map((row) => row.answer()).filter(Boolean));
    confirm.disabled = false;
    problem.hidden = !failure;
    problem.textContent = failure ?? "";
    return failure ? undefined : dialog.close();
  };
  const owner = { id: modal.application?.id ?? "0", username: modal.application?.name ?? "App", bot: true };
  const form = h("form", { class: "modal-card", onsubmit: send, novalidate: true },
    h("header", {}, avatar(owner, ctx.avatar(modal.application?.bot ?? owner), 24), h("h2", { id: "modal-title" }, modal.title),
      h("button", { type: "button", class: "icon-button", "aria-label": "Close", onclick: () => dialog.close() }, icon("close"))),
    h("div", { class: "modal-body" }, problem, rows.map((row) => row.el),
      h("p", { class: "modal-warning" }, `This form will be submitted to ${owner.username}. Do not share passwords or other sensitive information.`)),
    h("footer", {}, cancel, confirm));
  const dialog = h("dialog", { class: "modal", "aria-labelledby": "modal-title", "data-sticky": "true" }, form);
  openDialog(dialog);
  const first = inputs[0]?.node;
  first?.focus();
  if (first?.setSelectionRange) first.setSelectionRange(first.value.length, first.value.length);
  return dialog;
}

function modalRow(row, ctx, inputs) {
  if (row.type === 10) return { el: h("div", { class: "markup" }, markdown(row.content, ctx)), answer: () => null };
  if (row.type === 18) {
    const input = modalInput(row.component, row.label, row.description, ctx);
    inputs.push(input);
    return { el: input.el, answer: () => ({ type: 18, id: row.id, component: input.answer() }) };
  }
  const items = (row.components ?? []).map((item) => modalInput(item, item.label ?? "", null, ctx));
  inputs.push(...items);
  return { el: h("div", {}, items.map((item) => item.el)), answer: () => ({ type: 1, id: row.id, components: items.map((item) => item.answer()) }) };
}

function modalInput(item, label, description, ctx) {
  const id = `field-${item.custom_id}`;
  const required = item.required !== false;
  const control = item.type === 4 ? textControl(item, id) : choiceControl(item, ctx);
  const error = h("span", { class: "field-error", id: `${id}-error` });
  const title = h("label", { for: id }, label, required ? h("span", { class: "required", "aria-hidden": "true" }, " *") : null, error);
  control.node.setAttribute("aria-describedby", `${id}-error`);
  if (required) control.node.setAttribute("aria-required", "true");
  if (!control.node.id) control.node.setAttribute("aria-label", label);
  const complain = () => {
    const text = control.check(required);
    error.textContent = text ? ` — ${text}` : "";
    control.node.setAttribute("aria-invalid", String(Boolean(text)));
    return text;
  };
  return { node: control.node, complain, answer: () => ({ type: item.type, id: item.id, custom_id: item.custom_id, ...control.answer() }), el: h("div", { class: "field" }, title, description ? h("p", { class: "field-description" }, description) : null, control.node, control.extra) };
}

function textControl(item, id) {
  const props = { id, name: item.custom_id, placeholder: item.placeholder, maxlength: item.max_length ?? 4000, value: item.value ?? "", autocomplete: "off" };
  const node = item.style === 2 ? h("textarea", { ...props, rows: "6" }) : h("input", { ...props, type: "text" });
  const most = item.max_length ?? 4000;
  const left = h("span", { class: "counter", "aria-hidden": "true" });
  const count = () => {
    left.textContent = `${node.value.length} / ${most}`;
  };
  node.addEventListener("input", count);
  count();
  const check = (required) => {
    if (!node.value.trim()) return required ? "this field is required" : null;
    if (item.min_length && node.value.length < item.min_length) return `at least ${item.min_length} characters`;
    return null;
  };
  return { node, check, extra: left, answer: () => ({ value: node.value }) };
}

function choiceControl(item, ctx) {
  if (item.type === 19) return fileControl(item);
  let values = (item.options ?? []).filter((option) => option.default).map((option) => option.value);
  const node = selectMenu(item, ctx, (chosen) => {
    values = chosen;
  });
  return { node, extra: null, check: (required) => (required && !values.length ? "choose something" : null), answer: () => ({ values }) };
}

function fileControl(item) {
  const node = h("input", { type: "file", multiple: (item.max_values ?? 1) > 1, disabled: true, title: "Files in forms are not supported by this page." });
  return { node, extra: null, check: () => (item.min_values === 0 ? null : "files in forms are not supported by this page"), answer: () => ({ values: [] }) };
}
