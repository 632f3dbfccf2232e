// Forms answer in their place. Without this script each leads to a page of its own.
'use strict';

const LONGEST = 200000;  // letters of a JSON answer that are shown

for (const form of document.querySelectorAll('form.call')) {
	const answer = form.nextElementSibling;
	const button = form.querySelector('button');
	form.addEventListener('submit', async (event) => {
		event.preventDefault();
		button.disabled = true;
		answer.setAttribute('aria-busy', 'true');
		try {
			const json = form.elements.door.value === 'json' && form.dataset.json;
			answer.replaceChildren(...await (json ? callJson(form) : callHere(form)));
		} catch (error) {
			answer.replaceChildren(problem(`No answer: ${error.message}`));
		} finally {
			button.disabled = false;
			button.focus();
			answer.removeAttribute('aria-busy');
		}
	});
}

for (const field of document.querySelectorAll('textarea')) {
	field.addEventListener('keydown', (event) => {
		if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) field.form.requestSubmit();
	});
}

// AMF: the server makes the packet, so that it can show the bytes of both directions.
async function callHere(form) {
	const response = await fetch(form.action, { method: 'POST', body: new FormData(form) });
	const page = new DOMParser().parseFromString(await response.text(), 'text/html');
	const outcome = page.querySelectorAll('.outcome');
	if (outcome.length) return outcome;
	const isRefused = response.redirected || response.status === 403;
	return [problem(isRefused ? 'You are no longer logged in here: load this page again.'
		: `HTTP status ${response.status}`)];
}

// JSON: straight through the door, as any other page would call.
async function callJson(form) {
	const started = performance.now();
	const response = await fetch(form.dataset.json, {
		method: 'POST',
		headers: { 'Content-Type': 'application/json' },
		body: form.elements.arguments.value,
	});
	const text = await response.text();
	const milliseconds = performance.now() - started;
	const outcome = element('div', 'outcome');
	const title = element('p', response.ok ? 'succeeded' : 'failed');
	title.append(element('strong', '', response.ok ? 'Result' : 'Fault'), ' ',
		element('span', 'quiet', `JSON, HTTP status ${response.status}, `
			+ `${milliseconds.toFixed(2)} ms from this page and back`));
	const value = element('pre', 'value', indented(text).slice(0, LONGEST));
	value.tabIndex = 0;
	value.setAttribute('aria-label', 'Answer');
	outcome.append(title, value);
	return [outcome];
}

function indented(text) {
	try {
		return visible(JSON.stringify(JSON.parse(text), null, 2));
	} catch {
		return visible(text);
	}
}

// Letters that turn the text around them are written as JSON's escapes.
function visible(text) {
	return text.replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
		(letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function problem(text) {
	return element('p', 'problem outcome', text);
}

function element(name, className, text = '') {
	const made = document.createElement(name);
	if (className) made.className = className;
	made.textContent = text;
	return made;
}
