// What a person sends: messages and commands, with their files; shown as being sent until the server has them.

import { ApiError, reach } from "./client.js";
import { newNonce } from "./interactions.js";
import { FLAG } from "./message.js";
import { bot, localUrl, membersNow, store } from "./store.js";

export class Outbox {
  /** `onMessage(message)` gets what the server made of a message. */
  constructor(rest, interactions, list, onMessage) {
    this.rest = rest;
    this.interactions = interactions;
    this.list = list;
    this.onMessage = onMessage;
  }

  /** Run a command; null, or what to tell the user. */
  async runCommand(leaf, data, files) {
    const { list } = this;
    const nonce = newNonce();
    const line = pendingCommand(nonce, leaf);
    list.add(line);
    list.toPresent();
    try {
      const uploads = await this.#upload(line.channel_id, files);
      data.attachments = uploads.map((file, index) => ({ ...file, id: String(index) }));
    } catch (error) {
      list.remove(nonce);
      return error.message;
    }
    const failure = await this.interactions.command(leaf.root.application_id, data, nonce);
    if (!failure) list.remove(nonce);
    else if (list.views.has(nonce)) list.add({ ...line, flags: FLAG.ephemeral, failed: failure });
    return failure;
  }

  /** Post a message; null, or what to tell the user. */
  async sendMessage(text, files, reply) {
    const { list } = this;
    const nonce = newNonce();
    const channelId = store.current;
    const content = withMentions(text);
    const body = { content, nonce, tts: false, ...(reply ? { message_reference: { channel_id: channelId, message_id: reply.id } } : {}) };
    if (!files.length) list.add({ id: nonce, nonce, channel_id: channelId, author: store.me, content, type: 0, flags: 0, sending: true, timestamp: new Date().toISOString() });
    list.toPresent();
    try {
      const attachments = await this.#upload(channelId, files);
      const message = await this.rest.call("POST", `/channels/${channelId}/messages`, attachments.length ? { ...body, attachments } : body);
      list.remove(nonce);
      if (message) this.onMessage(message);
      return null;
    } catch (error) {
      list.remove(nonce);
      return `Your message could not be sent. ${error.message}`;
    }
  }

  /** Send files ahead of a message or command; each becomes `{id, filename, uploaded_filename}`. */
  async #upload(channelId, files) {
    if (!files.length) return [];
    const wanted = files.map((file, index) => ({ id: String(index), filename: file.name, file_size: file.size, is_clip: false }));
    const slots = (await this.rest.call("POST", `/channels/${channelId}/attachments`, { files: wanted })).attachments;
    return Promise.all(slots.map(async (slot, index) => {
      const response = await reach(localUrl(slot.upload_url), { method: "PUT", body: files[index], headers: { "Content-Type": files[index].type || "application/octet-stream" } });
      if (!response.ok) throw new ApiError(`${files[index].name} could not be uploaded.`);
      return { id: String(index), filename: files[index].name, uploaded_filename: slot.upload_filename };
    }));
  }
}

function pendingCommand(nonce, leaf) {
  const author = store.users.get(leaf.application?.bot?.id ?? store.session.bot_user_id) ?? { ...bot(), username: leaf.application?.name ?? bot().username };
  const interaction = { id: nonce, type: 2, name: leaf.name, user: store.me };
  return { id: nonce, channel_id: store.current, author, content: "", type: 20, flags: FLAG.loading, pendingText: "Sending command…", timestamp: new Date().toISOString(), interaction };
}

/** `@name` as the API writes it, where a member has that name. */
function withMentions(text) {
  return text.replace(/@([\w.]{2,32})/g, (whole, name) => {
    const user = membersNow().find((item) => item.username.toLowerCase() === name.toLowerCase());
    return user ? `<@${user.id}>` : whole;
  });
}
