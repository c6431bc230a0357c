// Requests that change the radio. They carry the control token, which a dialog asks for when it is first needed.

import { ApiError, request } from "./api.js";
import { byId, setText } from "./dom.js";
import { readTabValue, saveTabValue } from "./preferences.js";

/** @import { RequestOptions } from "./api.js" */

const dialog = byId("token", HTMLDialogElement);
const input = byId("token-input", HTMLInputElement);

/** @type {Promise<string> | null} */
let prompt = null; // one dialog for all requests that wait for a token

/**
 * Send a request with the control token. Return the response's JSON, or null if the dialog was cancelled.
 *
 * @param {string} path
 * @param {RequestOptions} options
 */
export async function authorizedRequest(path, options) {
  for (;;) {
    const token = readTabValue("token");
    try {
      return await request(path, { ...options, token });
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      if (token) setText(byId("token-message"), "Invalid token. Try again.");
      const answer = await promptForToken();
      if (!answer) return null;
      saveTabValue("token", answer);
    }
  }
}

function promptForToken() {
  prompt ??= /** @type {Promise<string>} */ (new Promise((resolve) => {
    input.value = "";
    dialog.returnValue = "";
    dialog.showModal();
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "ok" ? input.value.trim() : ""), { once: true });
  })).finally(() => { prompt = null; });
  return prompt;
}
