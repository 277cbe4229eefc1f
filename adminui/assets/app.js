// Shows the section that the address names.
import {failure, h} from "./dom.js"
import {invitations, user, users} from "./users.js"
import {keys} from "./keys.js"
import {audit} from "./audit.js"
import {system} from "./system.js"
import {webhooks} from "./webhooks.js"

const sections = {users, invitations, keys, audit, webhooks, system}
const main = document.getElementById("main")
let shown = 0

/** Shows the page. Focus moves to its heading after navigation, for screen readers. */
async function show(moveFocus) {
	const mine = ++shown
	const [name = "users", id] = location.hash.replace(/^#\/?/, "").split("/").filter(Boolean)
	const page = name === "users" && id ? user : sections[name] || users
	for (const link of document.querySelectorAll("nav a")) {
		if (link.hash === `#/${name}`) {
			link.setAttribute("aria-current", "page")
		} else {
			link.removeAttribute("aria-current")
		}
	}
	let content
	try {
		content = await page(() => show(false), id && decodeURIComponent(id))
	} catch (error) {
		content = [h("h1", {}, "This did not work"), failure(error)]
	}
	if (mine !== shown) {
		return // the user has navigated on
	}
	main.replaceChildren(...content.flat().filter(Boolean))
	document.title = `${main.querySelector("h1").textContent} – edgeauth`
	if (moveFocus) {
		document.getElementById("status").textContent = ""
		main.focus()
	}
}

addEventListener("hashchange", () => show(true))
show(false)
