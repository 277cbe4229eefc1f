// Passkeys on the login page and the account page. Without this script both pages work,
// without passkeys.
"use strict";
(() => {
	const form = document.querySelector("form[data-passkey]"), api = globalThis.PublicKeyCredential;
	if (!form || !api?.parseRequestOptionsFromJSON || !api.parseCreationOptionsFromJSON) return;
	const creates = form.dataset.passkey === "create", fresh = 8 * 60_000; // the server accepts options for ten minutes
	let options = JSON.parse(form.dataset.options), made = performance.now(), pending, asking = false;

	// One controller serves the button and autofill: a browser has one request at a time.
	const run = async (mediation) => {
		pending?.abort();
		const own = pending = new AbortController(), signal = own.signal;
		asking = mediation !== "conditional";
		try {
			if (!creates && performance.now() - made > fresh) {
				options = await (await fetch(form.dataset.refresh, { signal })).json();
				made = performance.now();
			}
			const credential = creates
				? await navigator.credentials.create({ publicKey: api.parseCreationOptionsFromJSON(options), signal })
				: await navigator.credentials.get({ publicKey: api.parseRequestOptionsFromJSON(options), mediation, signal });
			if (!credential || pending !== own) return;
			form.elements.credential.value = JSON.stringify(credential);
			form.submit();
		} catch { // cancelled, or no passkey: the other ways to sign in remain
			if (mediation === "conditional" || pending !== own) return;
			asking = false;
			autofill();
		}
	};
	// The browser stops offering a passkey that is not registered.
	const forget = (credentialId) => {
		api.signalUnknownCredential?.({ rpId: options.rpId ?? options.rp.id, credentialId }).catch(() => {});
	};
	const autofill = async () => {
		if (!creates && await api.isConditionalMediationAvailable?.()) run("conditional");
	};

	form.hidden = false;
	form.addEventListener("submit", (event) => {
		event.preventDefault();
		run("optional");
	});
	if (form.dataset.unknown) forget(form.dataset.unknown);
	if (creates) {
		// The next account page of the same user shows whether a passkey was removed.
		const key = "edgeauth-removes", [user, credential] = JSON.parse(sessionStorage.getItem(key) ?? "[]");
		const rows = [...document.querySelectorAll("form[data-credential]")];
		sessionStorage.removeItem(key);
		if (user === form.dataset.user && !rows.some((row) => row.dataset.credential === credential)) forget(credential);
		for (const row of rows) {
			row.addEventListener("submit", () => sessionStorage.setItem(key, JSON.stringify([form.dataset.user, row.dataset.credential])));
		}
	}
	autofill();
	if (!creates) setInterval(() => document.hidden || asking || autofill(), fresh + 1000);
})();
