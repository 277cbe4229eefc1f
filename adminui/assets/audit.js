// The audit trail.
import {part, post} from "./api.js"
import {field, h, pages, table, time, values} from "./dom.js"

/** Returns the entries that match a filter, newest first. */
export function auditOf(filter) {
	const load = async (cursor) => {
		const page = await post("/audit/search", {...filter, limit: 50, cursor})
		return {items: page.entries, next: page.next}
	}
	return pages(load, entryTable, "There is no entry.")
}

const link = (id) => (id ? h("a", {href: `#/users/${part(id)}`}, h("code", {}, id.slice(0, 8))) : "–")

function entryTable(list) {
	return table("Audit", ["Time", "Action", "User", "By", "Network address", "Details"], list.map((e) => [
		time(e.time), e.action, link(e.user), e.operator || (e.actor && e.actor !== e.user ? e.actor : e.user ? "the user" : "–"), e.ip || "–",
		[e.method, e.client, e.code, e.detail].filter(Boolean).join(", ") || "–",
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
