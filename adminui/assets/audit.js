// The audit trail.
import {part, post} from "./api.js"
import {field, h, pages, table, time, values} from "./dom.js"

/** Returns the entries that match a filter, newest first. */
export function auditOf(filter) {
	const load = async (cursor) => {
		try {
			const page = await post("/audit/search", {...filter, limit: 50, cursor})
			return {items: page.entries, next: page.next}
		} catch (error) {
			if (error.status === 404) {
				return {items: [], next: ""}
			}
			throw error
		}
	}
	return pages(load, entryTable, "There is no entry. The realm records entries with the option audit.")
}

const link = (id) => (id ? h("a", {href: `#/users/${part(id)}`}, h("code", {}, id.slice(0, 8))) : "–")

// An operator at the endpoint has a name, an operator of this page is a user.
function actor(e) {
	if (e.actor !== "operator") {
		return e.actor === "user" ? "the user" : e.actor
	}
	return h("span", {}, "operator ", e.via === "admin_page" ? link(e.actor_id) : e.actor_id || "without a name")
}

function entryTable(list) {
	return table("Audit", ["Time", "Action", "Outcome", "User", "By", "Network", "Details"], list.map((e) => [
		time(e.time), e.action, e.outcome, link(e.user), actor(e), e.ip || "–",
		[e.method, e.client, e.code, e.detail, e.email, e.count && `${e.count} times`].filter(Boolean).join(", ") || "–",
	]))
}

/** The search. */
export function audit() {
	const result = h("div", {})
	const form = h("form", {class: "bar", role: "search"},
		field("User ID", "user", {type: "search"}), field("Action", "action", {placeholder: "login"}),
		field("From", "from", {type: "datetime-local"}), field("To", "to", {type: "datetime-local"}),
		h("button", {type: "submit"}, "Search"))
	const search = () => {
		const filter = values(form)
		for (const end of ["from", "to"]) {
			if (filter[end]) {
				filter[end] = new Date(filter[end]).toISOString()
			}
		}
		result.replaceChildren(auditOf(filter))
	}
	form.addEventListener("submit", (event) => {
		event.preventDefault()
		search()
	})
	search()
	return [h("h1", {}, "Audit"), form, h("section", {"aria-label": "Result"}, result)]
}
