// Users: search, one user, invitations.
import {auditOf} from "./audit.js"
import {get, part, post, put, remove} from "./api.js"
import {announce, ask, choice, field, h, names, pages, table, tag, tags, time, values} from "./dom.js"
import {askForKey, keyTable} from "./keys.js"

const state = (user) => (user.disabled ? tag("disabled", "bad") : tag("active", "good"))
const nameOf = (user) => [user.first_name, user.last_name].filter(Boolean).join(" ")
const title = (user) => user.email || nameOf(user) || user.id

/** The search. Its conditions stay in memory and never enter the address of the page. */
export function users() {
	const result = h("div", {})
	const form = h("form", {class: "bar", role: "search"},
		field("Address begins with, or @domain", "address", {type: "search"}),
		field("Role", "role", {size: 12}),
		choice("State", "state", [["", "All"], ["active", "Active"], ["disabled", "Disabled"]]),
		field("Created since", "created", {type: "date"}),
		h("button", {type: "submit"}, "Search"))
	const search = () => {
		const {address = "", role, state: wanted, created} = values(form)
		const filter = {role, limit: 50}
		if (address.startsWith("@")) {
			filter.domain = address.slice(1)
		} else if (address) {
			filter.email_prefix = address
		}
		if (wanted) {
			filter.disabled = wanted === "disabled"
		}
		if (created) {
			filter.created_from = new Date(created).toISOString()
		}
		const load = async (cursor) => {
			const page = await post("/users/search", {...filter, cursor})
			return {items: page.users, next: page.next}
		}
		result.replaceChildren(pages(load, userTable, "No user matches."))
	}
	form.addEventListener("submit", (event) => {
		event.preventDefault()
		search()
	})
	search()
	return [
		h("h1", {}, "Users"),
		h("div", {class: "actions"},
			h("button", {type: "button", onclick: invite}, "Invite"),
			h("button", {class: "other", type: "button", onclick: create}, "Create without a mail")),
		form, h("section", {"aria-label": "Result"}, result),
	]
}

function userTable(list) {
	return table("Users", ["Address", "Name", "Roles", "State", "Last login"], list.map((user) => [
		h("a", {href: `#/users/${part(user.id)}`}, title(user)), nameOf(user), tags(user.roles), state(user), time(user.last_login),
	]))
}

const personFields = () => [
	field("E-mail address", "email", {type: "email", required: true}),
	field("First name", "first_name"), field("Last name", "last_name"),
	field("Roles, separated by commas", "roles"),
]

function create() {
	ask({
		title: "Create a user", text: "The user can sign in with the address from now on. No mail is sent.",
		fields: personFields(), button: "Create",
		submit: async (v) => {
			const user = await post("/users", {...v, roles: names(v.roles)})
			location.hash = `#/users/${part(user.id)}`
		},
	})
}

function invite() {
	ask({
		title: "Invite", text: "A mail with a link is sent. The account is created when the link is used.",
		fields: [...personFields(), choice("Valid for", "expires_in", [["86400", "1 day"], ["604800", "7 days"], ["2592000", "30 days"]], "604800")], button: "Send the invitation",
		submit: async (v) => {
			await post("/invitations", {...v, roles: names(v.roles), expires_in: Number(v.expires_in)})
			announce("The invitation is on its way.")
			if (location.hash === "#/invitations") {
				dispatchEvent(new Event("hashchange"))
			} else {
				location.hash = "#/invitations"
			}
		},
	})
}

/** The open invitations. */
export async function invitations(reload) {
	const {invitations: list} = await get("/invitations")
	return [
		h("h1", {}, "Invitations"),
		h("div", {class: "actions"}, h("button", {type: "button", onclick: invite}, "Invite")),
		h("section", {"aria-label": "Open invitations"}, list.length === 0 ? h("p", {class: "muted"}, "There is no open invitation.")
			: table("Invitations", ["Address", "Name", "Roles", "Sent", "Expires", "Action"], list.map((i) => [
				i.email, nameOf(i), tags(i.roles), time(i.created), time(i.expires),
				button("Revoke", `Revoke the invitation of ${i.email}`, {
					title: "Revoke the invitation?", text: `The link that was mailed to ${i.email} stops working.`,
					submit: () => remove(`/invitations/${part(i.id)}`), done: "The invitation was revoked.", reload,
				}),
			]))),
	]
}

/** Returns a button that asks before it acts. */
function button(text, label, {title: question, text: explanation, submit, done, reload}) {
	return h("button", {
		class: "danger", type: "button", "aria-label": label,
		onclick: () => ask({
			title: question, text: explanation, button: text, danger: true,
			submit: async () => {
				await submit()
				announce(done)
				reload()
			},
		}),
	}, text)
}

/** One user. */
export async function user(reload, id) {
	const path = `/users/${part(id)}`
	const found = await get(path)
	return [
		h("p", {}, h("a", {href: "#/users"}, "All users")),
		h("h1", {}, title(found)),
		about(found, path, reload),
		logins(found),
		sessions(found, path, reload),
		factors(found, path, reload),
		h("section", {"aria-labelledby": "keys"}, h("h2", {id: "keys"}, "API keys"),
			keyTable(found.keys || [], reload),
			h("div", {class: "actions"}, h("button", {class: "other", type: "button", onclick: () => askForKey({user: id}, reload)}, "Create a key"))),
		h("section", {"aria-labelledby": "history"}, h("h2", {id: "history"}, "Audit"), auditOf({user: id})),
	]
}

function about(found, path, reload) {
	const rows = [
		["Name", nameOf(found) || "–"],
		["Address", found.email ? [found.email, " ", found.email_verified ? tag("verified", "good") : tag("not verified")] : "–"],
		["State", state(found)],
		["Roles", found.roles?.length ? tags(found.roles) : "–"],
		["Created", time(found.created)], ["Last login", time(found.last_login)], ["ID", h("code", {}, found.id)],
	]
	const change = async (action, done) => {
		await action()
		announce(done)
		reload()
	}
	return h("section", {"aria-label": "About"},
		h("dl", {}, rows.flatMap(([term, value]) => [h("dt", {}, term), h("dd", {}, value)])),
		h("div", {class: "actions"},
			h("button", {class: "other", type: "button", onclick: () => editRoles(found, path, reload)}, "Change roles"),
			found.disabled
				? h("button", {class: "other", type: "button", onclick: () => ask({
					title: "Enable the user?", button: "Enable", submit: () => change(() => post(`${path}/enable`), "The user was enabled."),
				})}, "Enable")
				: button("Disable", "Disable the user", {
					title: "Disable the user?", text: "All sessions and API keys of the user end, and new logins are refused.",
					submit: () => post(`${path}/disable`), done: "The user was disabled.", reload,
				}),
			button("Delete", "Delete the user", {
				title: `Delete ${title(found)}?`, text: "The user, its logins, sessions and keys are removed. This cannot be undone.",
				submit: () => remove(path), done: "The user was deleted.", reload: () => { location.hash = "#/users" },
			})))
}

function editRoles(found, path, reload) {
	ask({
		title: "Change roles", text: "The change applies to open sessions too, within seconds. Roles from the configuration or a provider cannot be changed here.",
		fields: [field("Roles, separated by commas", "roles", {value: (found.granted_roles || []).join(", ")})], button: "Save",
		submit: async (v) => {
			await put(`${path}/roles`, {roles: names(v.roles)})
			announce("The roles were changed.")
			reload()
		},
	})
}

function logins(found) {
	const list = found.identities || []
	return h("section", {"aria-labelledby": "logins"}, h("h2", {id: "logins"}, "Linked logins"),
		list.length === 0 ? h("p", {class: "muted"}, "None. The user signs in by mail.")
			: table("Linked logins", ["Provider", "Address", "State", "Linked"], list.map((i) => [i.provider, i.email || "–", i.state || "active", time(i.created)])))
}

function sessions(found, path, reload) {
	const list = found.sessions || []
	return h("section", {"aria-labelledby": "sessions"}, h("h2", {id: "sessions"}, "Sessions"),
		list.length === 0 ? h("p", {class: "muted"}, "None.")
			: table("Sessions", ["Began", "Method", "Client", "Last seen", "Network address", "Browser", "Action"], list.map((s) => [
				time(s.created), s.method, s.client, time(s.last_seen), s.ip || s.address || "–", s.user_agent || "–",
				button("End", "End this session", {
					title: "End this session?", text: "The user has to sign in again on that device.",
					submit: () => remove(`${path}/sessions/${part(s.id)}`), done: "The session was ended.", reload,
				}),
			])),
		list.length > 1 && h("div", {class: "actions"}, button("End all sessions", "End all sessions", {
			title: "End all sessions?", text: "The user has to sign in again on every device.",
			submit: () => remove(`${path}/sessions`), done: "All sessions were ended.", reload,
		})))
}

function factors(found, path, reload) {
	const list = found.factors || []
	if (list.length === 0) {
		return null
	}
	return h("section", {"aria-labelledby": "factors"}, h("h2", {id: "factors"}, "Passkeys and second factors"),
		table("Passkeys and second factors", ["Kind", "Name", "Added", "Last used", "Action"], list.map((f) => [
			f.kind, f.name || "–", time(f.created), time(f.last_used),
			button("Remove", `Remove ${f.kind} ${f.name || ""}`, {
				title: "Remove this factor?", text: "Use it if the user has lost the device. The user is told by mail.",
				submit: () => remove(`${path}/factors/${part(f.kind)}/${part(f.id)}`), done: "The factor was removed.", reload,
			}),
		])))
}
