// What a person asks of an application: posted over REST, answered by the gateway under the nonce of the question.

import { applicationOf, channelNow, store } from "./store.js";

const PATIENCE = 20_000; // the server says so after 3 s; this is for a connection that died meanwhile
const AUTOCOMPLETE_PATIENCE = 4000;
const NO_ANSWER = "The application did not respond";

export function newNonce() {
  const random = BigInt(Math.floor(Math.random() * 2 ** 22));
  return String((BigInt(Date.now() - 1_420_070_400_000) << 22n) | random);
}

export class Interactions {
  constructor(rest, gateway) {
    this.rest = rest;
    this.gateway = gateway;
    this.waiting = new Map(); // nonce -> {done, failure, timer}
    this.autocompletes = new Map(); // nonce -> done
  }

  /** Post an interaction and wait for the gateway's word: null when it went well, else what to tell the user. */
  async post(payload, failure, nonce = newNonce()) {
    const channel = channelNow();
    const answer = new Promise((done) => this.waiting.set(nonce, { done, failure, timer: setTimeout(() => this.settle(nonce, failure), PATIENCE) }));
    const where = { application_id: store.session.application_id, channel_id: channel.id, session_id: this.gateway.session, nonce };
    if (channel.guild_id) where.guild_id = channel.guild_id;
    try {
      await this.rest.call("POST", "/interactions", { ...where, ...payload });
    } catch (error) {
      this.settle(nonce, error.message);
    }
    return answer;
  }

  /** End the wait for `nonce`: `failure` is null, or what to tell the user. */
  settle(nonce, failure) {
    const entry = this.waiting.get(nonce);
    if (!entry) return;
    clearTimeout(entry.timer);
    this.waiting.delete(nonce);
    entry.done(failure);
  }

  succeeded(nonce) {
    this.settle(nonce, null);
  }

  failed(nonce) {
    this.settle(nonce, this.waiting.get(nonce)?.failure);
  }

  press(message, item, values) {
    const data = { component_type: item.type, custom_id: item.custom_id, ...(values ? { type: item.type, values } : {}) };
    const channel = { channel_id: message.channel_id ?? store.current, application_id: applicationOf(message) };
    return this.post({ type: 3, ...channel, message_flags: message.flags ?? 0, message_id: message.id, data }, "This interaction failed");
  }

  command(applicationId, data, nonce) {
    return this.post({ type: 2, application_id: applicationId, data }, NO_ANSWER, nonce);
  }

  /** A command of the Apps menu on a message or a person. */
  targeted(command, targetId) {
    const data = { version: command.version, id: command.id, name: command.name, type: command.type, target_id: targetId, options: [], attachments: [], application_command: command };
    return this.command(command.application_id, data);
  }

  submitModal(modal, components) {
    const where = { application_id: modal.application?.id ?? modal.application_id, channel_id: modal.channel_id ?? store.current };
    return this.post({ type: 5, ...where, data: { id: modal.id, custom_id: modal.custom_id, components } }, "Something went wrong. Try again.");
  }

  /** The choices for the option being typed; null when none came. */
  async autocomplete(data) {
    const nonce = newNonce();
    const answer = new Promise((done) => this.autocompletes.set(nonce, done));
    setTimeout(() => this.autocompletes.get(nonce)?.(null), AUTOCOMPLETE_PATIENCE);
    this.post({ type: 4, application_id: data.application_command.application_id, data }, "failed", nonce).then((failure) => failure && this.autocompletes.get(nonce)?.(null));
    const choices = await answer;
    this.autocompletes.delete(nonce);
    return choices;
  }

  offered(nonce, choices) {
    this.autocompletes.get(nonce)?.(choices);
    this.succeeded(nonce);
  }
}
