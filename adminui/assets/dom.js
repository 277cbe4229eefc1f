// Elements, tables, forms and dialogs. Text is set as text only, never as HTML.

/** Returns an element with attributes, listeners ("onclick") and children. */
export function h(name, attributes = {}, ...children) {
	const element = document.createElement(name)
	for (const [key, value] of Object.entries(attributes)) {
		if (key.startsWith("on")) {
			element.addEventListener(key.slice(2), value)
		} else if (value === true) {
			element.setAttribute(key, "")
		} else if (value !== false && value !== undefined && value !== null) {
			element.setAttribute(key, value)
		}
	}
	element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false))
	return element
}

const dates = new Intl.DateTimeFormat(undefined, {dateStyle: "medium", timeStyle: "short"})

/** Returns a time for reading, or a dash. */
export function time(text) {
	if (!text || text.startsWith("0001-")) {
		return "–"
	}
	return h("time", {datetime: text, title: text}, dates.format(new Date(text)))
}

export const tag = (text, kind = "") => h("span", {class: `tag ${kind}`}, text)

/** Returns tags for names, such as roles. */
export const tags = (names) => (names || []).map((name) => tag(name))

/** Returns a message at the top of the page after a failure. */
export const failure = (error) => h("p", {class: "error", role: "alert"}, error.message)

/** Shows a short message, which screen readers read. */
export function announce(text) {
	document.getElementById("status").textContent = text
}

/** Returns a table. Each row is a list of cells; the first cell of a row is its header. */
export function table(caption, columns, rows) {
	const cells = (row) => row.map((cell, i) => h(i === 0 ? "th" : "td", i === 0 ? {scope: "row"} : {}, cell))
	return h("div", {class: "scroll", tabindex: "0", role: "group", "aria-label": caption}, h("table", {class: "cards"},
		h("caption", {}, caption),
		h("thead", {}, h("tr", {}, columns.map((column) => h("th", {scope: "col"}, column)))),
		h("tbody", {}, rows.map((row) => h("tr", {}, cells(row))))))
}

/**
 * Returns a list that is loaded page by page. `load(cursor)` returns {items, next};
 * `show(items)` returns the element for them.
 */
export function pages(load, show, empty) {
	const items = []
	const list = h("div", {})
	const more = h("button", {class: "other", type: "button", hidden: true, onclick: () => next()}, "Show more")
	let cursor = ""
	async function next() {
		more.disabled = true
		try {
			let page
			do { // a page of a search may be empty before the end
				page = await load(cursor)
				cursor = page.next || ""
			} while (cursor && page.items.length === 0)
			items.push(...page.items)
			list.replaceChildren(items.length ? show(items) : h("p", {class: "muted"}, empty))
			more.hidden = !cursor
		} catch (error) {
			list.append(failure(error))
		}
		more.disabled = false
	}
	next()
	return h("div", {}, list, h("p", {class: "actions"}, more))
}

/** Returns a labelled field. */
export function field(label, name, attributes = {}) {
	return h("label", {}, label, h("input", {name, autocomplete: "off", ...attributes}))
}

/** Returns a labelled selection. Options are pairs of value and text. */
export function choice(label, name, options, selected) {
	return h("label", {}, label, h("select", {name},
		options.map(([value, text]) => h("option", {value, selected: value === selected}, text))))
}

/** Returns the values of a form that are not empty. */
export function values(form) {
	return Object.fromEntries([...new FormData(form)].map(([key, value]) => [key, value.trim()]).filter(([, value]) => value !== ""))
}

/** Returns the names of a list that is separated by commas or blanks. */
export const names = (text) => (text || "").split(/[\s,]+/).filter(Boolean)

/**
 * Asks in a dialog. `submit(values)` is called when the user agrees; the dialog stays open
 * with the message if it fails.
 */
export function ask({title, text, fields = [], button, danger = false, submit}) {
	const message = h("div", {})
	const agree = h("button", {class: danger ? "danger" : "", type: "submit"}, button)
	const form = h("form", {method: "dialog"},
		h("h2", {id: "ask"}, title), text ? h("p", {}, text) : null, fields, message,
		h("div", {class: "actions"}, agree, h("button", {class: "other", type: "button", onclick: () => dialog.close()}, "Cancel")))
	form.addEventListener("submit", async (event) => {
		event.preventDefault()
		agree.disabled = true
		try {
			await submit(values(form))
			dialog.close()
		} catch (error) {
			message.replaceChildren(failure(error))
		}
		agree.disabled = false
	})
	const dialog = show(form)
}

/** Shows something that is displayed only once. */
export function reveal(title, text, secret) {
	const dialog = show(h("form", {method: "dialog"},
		h("h2", {id: "ask"}, title), h("p", {}, text), h("p", {class: "secret"}, h("code", {}, secret)),
		h("div", {class: "actions"}, h("button", {type: "button", onclick: () => dialog.close()}, "Done"))))
}

function show(content) {
	const dialog = h("dialog", {"aria-labelledby": "ask"}, content)
	dialog.addEventListener("close", () => dialog.remove())
	document.body.append(dialog)
	dialog.showModal()
	return dialog
}
