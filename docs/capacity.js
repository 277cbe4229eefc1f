// The calculator of capacity.md. bench/internal/capacity computes the same estimate and
// measures the constants of capacity.json.
'use strict'

const secondsPerDay = 86400

// estimate returns the needs of a load with an engine.
function estimate(constants, name, load) {
	const engine = constants.engines[name]
	const live = Math.min(load.logins * load.session_days, load.users * 100)
	const revoked = load.logins * load.logout_share * load.token_days
	const perSecond = load.peak / secondsPerDay
	const e = {
		store: load.users * engine.user + load.users * (1 - load.mail_share) * engine.identity + live * engine.session +
			load.logins * load.mail_share * 15 / (24 * 60) * engine.record + revoked * engine.revocation,
		memory: revoked * constants.revocation_memory,
		feed: revoked * constants.feed_bytes,
		feed_per_day: load.logins * load.logout_share * constants.feed_bytes,
		mails: load.logins * load.mail_share * perSecond,
		logins: load.logins * perSecond,
		reads: load.nodes * 2,
		first: '',
		used: 0,
	}
	e.links = e.mails / constants.max_links
	e.writes = e.logins + e.mails + e.logins * load.logout_share + live / (load.token_days / 2) * perSecond
	for (const [limit, value, most] of [
		['nodes', load.nodes, engine.max_nodes], ['size', e.store, engine.max_bytes], ['writes', e.writes, engine.logins],
		['memory', e.memory, constants.max_memory],
	]) {
		let used = value / most
		if (limit === 'nodes' && used <= 1) used = 0
		if (used > e.used) Object.assign(e, { first: limit, used })
	}
	return e
}

// inputs lists the fields of the form: name, label and first value.
const inputs = [
	['users', 'Users', 100000], ['logins', 'Logins a day', 10000], ['nodes', 'Nodes', 2],
	['mail_share', 'Share of logins by mail, 0 to 1', 0.5], ['session_days', 'Days that a session is used', 30],
	['token_days', 'token_lifetime, days', 14], ['logout_share', 'Share of sessions that end by a logout, 0 to 1', 0.2],
	['peak', 'Busiest second, compared with the mean', 5],
]

function bytes(n) {
	const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
	let i = 0
	for (; n >= 999.5 && i < units.length - 1; i++) n /= 1000
	return n.toPrecision(3) + ' ' + units[i]
}

// show draws form and result into an element.
function show(place, constants) {
	const form = document.createElement('form'), result = document.createElement('div')
	for (const [name, label, value] of inputs) {
		const row = document.createElement('p'), field = document.createElement('input')
		Object.assign(field, { type: 'number', name, value, min: 0, step: 'any', required: true })
		const text = document.createElement('label')
		field.style.border = '1px solid'
		text.append(field, ' ' + label)
		row.append(text)
		form.append(row)
	}
	const draw = () => {
		if (!form.checkValidity()) return
		const load = Object.fromEntries(inputs.map(([name]) => [name, Number(form.elements[name].value)]))
		const table = document.createElement('table')
		const row = (tag, ...cells) => {
			const line = table.insertRow()
			for (const text of cells) line.append(Object.assign(document.createElement(tag), { textContent: text }))
		}
		row('th', 'engine', 'store', 'revocations per node', 'full feed', 'feed a day', 'mails per second', 'of the default link_overall', 'writes per second', 'first limit')
		for (const name of Object.keys(constants.engines)) {
			const e = estimate(constants, name, load)
			row('td', name, bytes(e.store), bytes(e.memory), bytes(e.feed), bytes(e.feed_per_day), e.mails.toFixed(1), Math.round(100 * e.links) + ' %', e.writes.toFixed(1),
				Math.round(100 * e.used) + ' % of ' + (e.first || 'nothing'))
		}
		result.replaceChildren(table)
	}
	form.addEventListener('input', draw)
	form.addEventListener('submit', (event) => event.preventDefault())
	place.replaceChildren(form, result)
	draw()
}

if (typeof module !== 'undefined') {
	module.exports = { estimate }
} else {
	const source = document.currentScript.src
	fetch(new URL('capacity.json', source)).then((response) => response.json())
		.then((constants) => show(document.getElementById('calculator'), constants))
}
