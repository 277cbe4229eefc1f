// Health, signing keys and settings.
import {get, post} from "./api.js"
import {announce, ask, failure, h, table, tag, time} from "./dom.js"

/** Returns a section whose content is loaded; a failure shows there only. */
function section(name, load) {
	const id = name.replace(/\W+/g, "-").toLowerCase()
	const content = h("div", {}, h("p", {class: "muted"}, "Loading …"))
	load().then((element) => content.replaceChildren(...[element].flat()), (error) => content.replaceChildren(failure(error)))
	return h("section", {"aria-labelledby": id}, h("h2", {id}, name), content)
}

async function health() {
	const {ready, checks} = await get("/health")
	return [
		h("p", {}, ready ? tag("ready", "good") : tag("not ready", "bad")),
		table("Health", ["Part", "State", "Details"], checks.map((c) => [c.name, c.ok ? tag("ok", "good") : tag("fails", "bad"), c.detail || "–"])),
	]
}

async function signingKeys(reload) {
	const {keys} = await get("/signing-keys")
	return [
		table("Signing keys", ["ID", "State", "Created", "Signs from", "Expires"], keys.map((k) => [h("code", {}, k.id), k.state || "–", time(k.created), time(k.signs), time(k.expires)])),
		h("div", {class: "actions"}, h("button", {
			class: "other", type: "button", onclick: () => ask({
				title: "Rotate now?", text: "The next key signs from now on. Sessions stay.", button: "Rotate",
				submit: async () => {
					await post("/signing-keys/rotate")
					announce("The next key signs now.")
					reload()
				},
			}),
		}, "Rotate now")),
	]
}

/** Returns settings as rows; inner objects have a path as their name. */
function rows(value, path = "") {
	if (Array.isArray(value) ? value.every((v) => typeof v !== "object") : typeof value !== "object" || value === null) {
		return [[path, Array.isArray(value) ? value.join(", ") || "–" : String(value ?? "–")]]
	}
	return Object.entries(value).flatMap(([key, inner]) => rows(inner, path ? `${path}.${key}` : key))
}

async function settings() {
	return table("Settings", ["Option", "Value"], rows(await get("/settings")))
}

/** The page. */
export function system(reload) {
	return [
		h("h1", {}, "System"),
		section("Health", health), section("Signing keys", () => signingKeys(reload)), section("Settings in force", settings),
	]
}
