// Has the browser make or show a passkey, and sends what it says with the form.
"use strict";
for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const said = form.querySelector("[role=status]");
    said.textContent = "";
    try {
      const options = JSON.parse(form.dataset.options);
      const found = form.dataset.passkey === "make"
        ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
        : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
      form.elements.credential.value = JSON.stringify(found.toJSON());
      form.submit();
    } catch (error) {
      said.textContent = error.name === "InvalidStateError"
        ? "This device has a passkey of yours already."
        : "The browser has no passkey for this, or you pressed Cancel. Try again.";
    }
  });
}
