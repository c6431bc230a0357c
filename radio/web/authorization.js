// Changes to the radio: with the token, which is asked for once, when it is first needed.

import { ask } from "./api.js";

const dialog = document.getElementById("token");
const input = document.getElementById("token-input");
const why = document.getElementById("token-why");

/** Ask for a change; resolves with its answer, or null when the listener would give no token. */
export async function change(path, options) {
  for (;;) {
    const token = sessionStorage.getItem("token");
    try {
      return await ask(path, { ...options, token });
    } catch (error) {
      if (error.status !== 401) throw error;
      if (token) why.textContent = "That token is not this radio's.";
      const given = await asked();
      if (!given) return null;
      sessionStorage.setItem("token", given);
    }
  }
}

let asking = null; // one dialog, however many changes wait for it

function asked() {
  asking ??= new Promise((resolve) => {
    input.value = "";
    dialog.returnValue = "";
    dialog.showModal();
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "ok" ? input.value.trim() : ""), { once: true });
  }).finally(() => { asking = null; });
  return asking;
}
