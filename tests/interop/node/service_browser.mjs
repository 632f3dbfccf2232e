// Uses the service browser as staff do, by keyboard alone, and prints what it read as JSON.
//
//   node service_browser.mjs SITE USERNAME PASSWORD PACKET CONVERSATION [FOLDER]
//
// With FOLDER, screenshots of the pages go there: wide and narrow, light and dark.
import { readFile } from 'node:fs/promises';
import { chromium } from 'playwright-core';

const TIMEOUT = 200_000;  // the machine may be busy
const [site, username, password, packet, conversation, folder] = process.argv.slice(2);
const WIDTHS = [1200, 400];
const found = { errors: [], widths: {} };

async function logIn(page) {
	await page.goto(`${site}/services/`);
	await page.locator('#id_username').focus();
	await page.keyboard.type(username);
	await page.keyboard.press('Tab');
	await page.keyboard.type(password);
	await page.keyboard.press('Enter');
	await page.waitForURL(`${site}/services/`);
}

// Tab by tab until the focus is where it shall go.
async function tabTo(page, selector) {
	for (let press = 0; press < 200; press += 1) {
		await page.keyboard.press('Tab');
		if (await page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) return;
	}
	throw new Error(`no way to ${selector} by keyboard`);
}

// One method through each door, in one form.
async function call(page) {
	const form = 'form[action$="/math.add/"]';
	await page.goto(`${site}/services/`);
	await tabTo(page, `details:has(${form}) > summary`);
	await page.keyboard.press('Enter');
	await tabTo(page, `${form} textarea`);
	await page.keyboard.press('Control+A');
	await page.keyboard.type('[1, 2]');
	await page.keyboard.press('Tab');
	const doors = {};
	for (const door of ['AMF3', 'AMF0', 'JSON']) {
		if (door !== 'AMF3') {
			await page.keyboard.press('Shift+Tab');
			await page.keyboard.press('ArrowRight');
		}
		await page.keyboard.press('Tab');
		await page.keyboard.press('Enter');
		const outcome = page.locator(`${form} + .answer .outcome`, { hasText: `${door}, ` });
		await outcome.waitFor();
		await page.waitForFunction(() => document.activeElement.tagName === 'BUTTON');
		doors[door] = {
			value: await outcome.locator('.value').innerText(),
			title: await outcome.locator('p').first().innerText(),
			tables: await outcome.locator('table').count(),
		};
	}
	return doors;
}

async function upload(page, capture, format) {
	await page.goto(`${site}/services/inspector/`);
	await page.locator('#file').setInputFiles(capture);
	await page.locator('#file').focus();
	await tabTo(page, 'input[name="form"]');
	for (let press = 0; press < format; press += 1) await page.keyboard.press('ArrowRight');
	await tabTo(page, 'main button');
	await page.keyboard.press('Enter');
	await page.locator('#result').waitFor();
}

async function inspect(page) {
	await upload(page, packet, 0);
	return {
		heading: await page.locator('#result h2').innerText(),
		rows: await page.locator('#result tbody tr').count(),
		names: await page.locator('#result td b').allInnerTexts(),
	};
}

// A recorded RTMP conversation: the shared object's change is opened by keyboard.
async function converse(page) {
	await upload(page, conversation, 3);
	const groups = page.locator('#result details');
	await tabTo(page, 'details.group:nth-of-type(9) > summary');
	const closed = await groups.nth(8).locator('tbody').isVisible();
	await page.keyboard.press('Enter');
	return {
		heading: await page.locator('#result h2').innerText(),
		titles: await groups.locator('> summary').allInnerTexts(),
		wasOpen: closed,
		rows: await groups.nth(8).locator('tbody tr').allInnerTexts(),
	};
}

// Recording is switched on, a packet is sent, and both of its directions are looked at.
async function record(page) {
	await page.goto(`${site}/services/recorded/`);
	const before = await page.locator('main [role="status"]').innerText();
	await tabTo(page, 'button[value="start"]');
	await page.keyboard.press('Enter');
	await page.locator('button[value="stop"]').waitFor();
	const body = await readFile(packet);
	const headers = { 'Content-Type': 'application/x-amf' };
	await page.request.post(`${site}/gateway/`, { data: body, headers });
	const entry = page.locator('.recordings a').first();
	while (!await entry.count()) await page.reload();
	const list = await page.locator('.recordings li').first().innerText();
	await look(page, 'recordings');
	await tabTo(page, '.recordings a');
	await page.keyboard.press('Enter');
	await page.locator('#result table').waitFor();
	const request = await page.locator('#result tbody tr').count();
	await tabTo(page, '.sides a:not([aria-current])');
	await page.keyboard.press('Enter');
	await page.waitForURL(/side=response/);
	const names = await page.locator('#result .scalar').allInnerTexts();
	await page.goto(`${site}/services/recorded/`);
	await tabTo(page, 'button[value="stop"]');
	await page.keyboard.press('Enter');
	await page.locator('button[value="stop"]').waitFor({ state: 'detached' });
	const after = await page.locator('main [role="status"]').innerText();
	await page.locator('.recordings a').first().click();
	return { before, after, list, request, names };
}

// In the admin a method is switched off, restricted and throttled; the next calls obey.
async function administer(page) {
	const add = () => page.evaluate(async () => {
		const body = '[1, 2]';
		const headers = { 'Content-Type': 'application/json' };
		const response = await fetch('/gateway/json/math/add/', { method: 'POST', headers, body });
		const { result, fault } = await response.json();
		return result ?? fault.code;
	});
	const list = `${site}/admin/amf_remoting/servicepolicy/`;
	const row = '[data-target="math.add"]';
	const before = await add();
	await page.goto(list);
	await tabTo(page, `${row} button`);
	await page.keyboard.press('Enter');
	await page.locator('.messagelist').waitFor();
	const off = await add();
	await tabTo(page, `${row} button`);
	await page.keyboard.press('Enter');
	await page.locator('.messagelist', { hasText: 'Switched on' }).waitFor();
	const on = await add();
	await tabTo(page, `${row} .changelink`);
	await page.keyboard.press('Enter');
	await page.locator('#id_throttle').waitFor();
	await tabTo(page, '#id_throttle');
	await page.keyboard.type('1/h');
	await page.keyboard.press('Enter');
	await page.waitForURL(list);
	const throttled = [await add(), await add()];
	await tabTo(page, `${row} .changelink`);
	await page.keyboard.press('Enter');
	await page.locator('#id_throttle').waitFor();
	await tabTo(page, '#id_throttle');
	await page.keyboard.press('Control+A');
	await page.keyboard.press('Delete');
	await page.locator('#id_permission').selectOption('amf_remoting.add_callrecord');
	await tabTo(page, 'input[name="_save"]');
	await page.keyboard.press('Enter');
	await page.waitForURL(list);
	const needs = await page.locator(`${row} td[data-label="Callers need"]`).innerText();
	const hidden = await hiddenAtWidths(page);
	return { before, off, on, throttled, needs, hidden };
}

// A method's own page: a name that would turn the answer around. And the admin's form for one.
async function method(page) {
	await page.goto(`${site}/services/call/people.get/`);
	const signature = await page.locator('main code').first().innerText();
	await page.locator('main input[value="json"]').check();
	await page.locator('main textarea').fill('["\u202eadA"]');
	await page.locator('main textarea').press('Control+Enter');
	return { signature, answer: await page.locator('.outcome .value').innerText() };
}

async function restrict(page) {
	await page.goto(`${site}/admin/amf_remoting/servicepolicy/add/?target=people.get`);
	return page.locator('#id_target').inputValue();
}

// By how much a table is too wide for its box, which scrolls where the page does not: the box is
// narrow on a phone, and between the sidebar and the filters.
async function hiddenAtWidths(page) {
	const hidden = {};
	for (const width of [390, 760, 1000, 1100, 1200]) {
		await page.setViewportSize({ width, height: 900 });
		hidden[width] = await page.evaluate(() => {
			const box = document.querySelector('.results');
			return box.scrollWidth - box.clientWidth;
		});
	}
	await page.setViewportSize({ width: WIDTHS[0], height: 900 });
	return hidden;
}

async function callLog(page) {
	const list = `${site}/admin/amf_remoting/callrecord/`;
	const rows = page.locator('#result_list tbody tr');
	const long = 'x'.repeat(100);
	await page.request.post(`${site}/gateway/json/${long}/y/`, { data: [] });
	await page.goto(list);
	while (!await rows.filter({ hasText: long }).count()) await page.goto(list);
	const hidden = await hiddenAtWidths(page);
	await page.setViewportSize({ width: 1600, height: 900 });  // a table, whose cells have tabs between
	const texts = await rows.allInnerTexts();
	await page.setViewportSize({ width: WIDTHS[0], height: 900 });
	return { hidden, rows: texts };
}

// At both widths, light and dark: how much too wide the page is, and a picture of it.
async function look(page, name) {
	for (const width of WIDTHS) {
		await page.setViewportSize({ width, height: 900 });
		for (const colorScheme of ['light', 'dark']) {
			await page.emulateMedia({ colorScheme });
			const wide = await page.evaluate(() => document.documentElement.scrollWidth);
			found.widths[`${name} ${width}`] = wide - width;
			const path = `${folder}/${name}-${colorScheme}-${width}.png`;
			if (folder) await page.screenshot({ path, fullPage: true });
		}
	}
	await page.setViewportSize({ width: WIDTHS[0], height: 900 });
}

const browser = await chromium.launch({
	executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
	args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
		'--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const deadline = setTimeout(() => {
	process.stderr.write('The service browser did not answer in time\n');
	browser.close().finally(() => process.exit(1));
}, TIMEOUT);
try {
	const context = await browser.newContext({ viewport: { width: WIDTHS[0], height: 900 } });
	const page = await context.newPage();
	page.on('pageerror', (error) => found.errors.push(String(error)));
	await logIn(page);
	for (const show of [call, inspect, converse, record, administer, callLog, method, restrict]) {
		found[show.name] = await show(page);
		await look(page, show.name);
	}
	process.stdout.write(JSON.stringify(found));
} finally {
	clearTimeout(deadline);
	await browser.close();
}
