// Calls of the admin API, which is below the page.

/** An answer that is not a success. */
export class Refused extends Error {
	constructor(status, body) {
		super(body.error || body.detail || `The server answered ${status}.`)
		this.status = status
	}
}

/** Calls the API and returns the answer, or null if it has no body. */
export async function call(method, path, body) {
	let response
	try {
		response = await fetch("api" + path, {
			method,
			headers: body === undefined ? {} : {"Content-Type": "application/json"},
			body: body === undefined ? undefined : JSON.stringify(body),
			credentials: "same-origin",
		})
	} catch {
		throw new Refused(0, {error: "The server did not answer. Check the connection, then try again."})
	}
	const login = response.headers.get("X-Auth-Login")
	if (response.status === 401 && login) { // the session ended or is too old
		const target = new URL(login, location.href)
		target.searchParams.set("return_to", location.pathname)
		location.assign(target)
		return new Promise(() => {})
	}
	const text = await response.text()
	let answer = null
	try {
		answer = text ? JSON.parse(text) : null
	} catch {
		answer = {}
	}
	if (!response.ok) {
		throw new Refused(response.status, answer || {})
	}
	return answer
}

export const get = (path) => call("GET", path)
export const post = (path, body = {}) => call("POST", path, body)
export const put = (path, body) => call("PUT", path, body)
export const remove = (path) => call("DELETE", path)

/** Encodes a part of a path. */
export const part = encodeURIComponent
