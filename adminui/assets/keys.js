// API keys.
import {get, part, post, remove} from "./api.js"
import {announce, ask, choice, field, h, names, pages, reveal, table, tags, time} from "./dom.js"

/** Returns a table of keys with a button that revokes each. */
export function keyTable(list, reload) {
	if (list.length === 0) {
		return h("p", {class: "muted"}, "None.")
	}
	return table("API keys", ["Name", "Owner", "Roles", "Created", "Expires", "Last used", "Action"], list.map((key) => [
		key.name, h("a", {href: `#/users/${part(key.user)}`}, h("code", {}, key.user.slice(0, 8))), tags(key.roles),
		time(key.created), time(key.expires_at), time(key.last_used),
		h("button", {
			class: "danger", type: "button", "aria-label": `Revoke the key ${key.name}`,
			onclick: () => ask({
				title: `Revoke the key “${key.name}”?`, text: "Programs that use it are refused from now on.", button: "Revoke", danger: true,
				submit: async () => {
					await remove(`/api-keys/${part(key.id)}`)
					announce("The key was revoked.")
					reload()
				},
			}),
		}, "Revoke"),
	]))
}

/** Asks for the details of a new key, and shows its secret once. */
export function askForKey(owner, reload) {
	ask({
		title: "Create an API key",
		fields: [
			owner.user ? null : field("Service account", "service", {required: true, pattern: "[a-z0-9_\\-]{1,32}", title: "Small letters, digits, - and _"}),
			field("Name", "name", {required: true, maxlength: 100}),
			field("Roles, separated by commas", "roles"),
			choice("Valid for", "expires_in", [["2592000", "30 days"], ["7776000", "90 days"], ["31536000", "1 year"]], "7776000"),
		],
		button: "Create",
		submit: async (v) => {
			const key = await post("/api-keys", {...owner, ...v, roles: names(v.roles), expires_in: Number(v.expires_in)})
			reveal("The key was created", "Copy it now. It is not shown again.", key.secret)
			reload()
		},
	})
}

/** All keys. */
export function keys(reload) {
	const load = async (cursor) => {
		const page = await get(`/api-keys?cursor=${part(cursor)}`)
		return {items: page.keys || [], next: page.next}
	}
	return [
		h("h1", {}, "API keys"),
		h("div", {class: "actions"}, h("button", {type: "button", onclick: () => askForKey({}, reload)}, "Create a key for a service")),
		h("section", {"aria-label": "Keys"}, pages(load, (list) => keyTable(list, reload), "There is no key.")),
	]
}
