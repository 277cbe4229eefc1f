// Webhooks with their dead letters.
import {get, part, post, remove} from "./api.js"
import {announce, ask, h, pages, table, tag, tags, time} from "./dom.js"

// Webhooks of one origin differ in their IDs.
const title = (hook) => `${hook.endpoint} (${hook.id.slice(0, 8)})`

function state(hook) {
	if (hook.error) {
		return [tag("fails", "bad"), " ", hook.error]
	}
	return hook.dead ? tag("dead letters", "bad") : tag("ok", "good")
}

/** Returns a button that asks, then changes a dead letter. */
function action(letter, {button, title, text, danger, done, submit}) {
	return h("button", {
		class: danger ? "danger" : "other", type: "button", "aria-label": `${button} the message ${letter.action ? `${letter.action} of ${letter.time}` : letter.id}`,
		onclick: () => ask({title, text, button, danger, submit: async () => {
			await submit()
			announce(done)
		}}),
	}, button)
}

function letterTable(hook, list, reload) {
	const path = (letter) => `/webhooks/${part(hook.id)}/dead/${part(letter.id)}`
	const change = (call) => async () => {
		await call()
		reload()
	}
	return table(`Dead letters of ${title(hook)}`, ["Message", "User", "Entry of", "Given up", "Attempts", "Error", "Actions"], list.map((letter) => [
		letter.action || h("code", {}, letter.id), letter.user ? h("a", {href: `#/users/${part(letter.user)}`}, h("code", {}, letter.user.slice(0, 8))) : "–",
		time(letter.time), time(letter.given_up), String(letter.attempts), letter.error || "–",
		h("div", {class: "actions"}, letter.action && action(letter, { // a damaged message has no action
			button: "Retry", title: "Send the message again?", text: "It takes its place among the waiting messages.",
			done: "The message is sent again.", submit: change(() => post(`${path(letter)}/retry`)),
		}), action(letter, {
			button: "Discard", title: "Delete the message?", text: "The endpoint never receives it. The entry stays in the audit trail.", danger: true,
			done: "The message was deleted.", submit: change(() => remove(path(letter))),
		})),
	]))
}

/** Returns the dead letters of a webhook. */
function deadLetters(hook, reload) {
	const load = async (cursor) => {
		const page = await get(`/webhooks/${part(hook.id)}/dead?limit=50&cursor=${part(cursor)}`)
		return {items: page.messages, next: page.next}
	}
	const id = `dead-${hook.id}`
	return h("section", {"aria-labelledby": id}, h("h2", {id}, `Dead letters of ${title(hook)}`),
		pages(load, (list) => letterTable(hook, list, reload), "There is no dead letter."))
}

// Counts end at 1000.
const count = (n) => (n < 1000 ? String(n) : "1000 or more")

/** The page. */
export async function webhooks(reload) {
	let hooks = []
	try {
		hooks = (await get("/webhooks")).webhooks
	} catch (error) {
		if (error.status !== 404) { // the realm has no audit trail
			throw error
		}
	}
	return [
		h("h1", {}, "Webhooks"),
		h("section", {"aria-label": "State"}, hooks.length === 0 ? h("p", {class: "muted"}, "There is no webhook. The option webhook of audit adds one.")
			: table("Webhooks", ["Endpoint", "ID", "Actions", "State", "Last success", "Messages", "Dead letters"], hooks.map((hook) => [
				hook.endpoint, h("code", {}, hook.id), hook.actions.length ? h("span", {}, tags(hook.actions)) : "all actions", h("span", {}, state(hook)),
				hook.last_success ? time(hook.last_success) : "no success yet",
				h("span", {}, `${count(hook.waiting)} waiting`, hook.waiting ? [", the oldest of ", time(hook.oldest)] : null), `${count(hook.dead)} dead`,
			]))),
		hooks.filter((hook) => hook.dead).map((hook) => deadLetters(hook, reload)),
	]
}
