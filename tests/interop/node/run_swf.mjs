// Runs a SWF in Ruffle in headless Chromium and prints what it reports, one JSON value a line.
//
//   node run_swf.mjs SWF GATEWAY_URL [--port=PORT] [--config=OBJECT]
//
// With a port, the page is served at http://127.0.0.1:PORT/, a foreign site to the gateway, and the
// browser asks the gateway before it calls (preflight). Without, the page, Ruffle and the SWF are
// answered inside of the browser at the gateway's own origin, and only remoting reaches the network.
// OBJECT, in JavaScript, is added to Ruffle's configuration on that page.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';

const TIMEOUT = 40_000;
const { values: { port, config }, positionals: [swf, gateway] } = parseArgs({
	allowPositionals: true,
	options: { port: { type: 'string' }, config: { type: 'string', default: '{}' } },
});
const ruffle = path.dirname(fileURLToPath(import.meta.resolve('@ruffle-rs/ruffle/package.json')));

const html = `<!doctype html><meta charset="utf-8"><title>SWF</title><link rel="icon" href="data:,">
<script>window.RufflePlayer = {config: {
	allowNetworking: 'all', allowScriptAccess: true, autoplay: 'on', splashScreen: false,
	unmuteOverlay: 'hidden', logLevel: 'warn', polyfills: false,
	...${config},
}};</script>
<script src="ruffle.js"></script>
<div id="stage"></div>
<script>
	const player = window.RufflePlayer.newest().createPlayer();
	document.getElementById('stage').append(player);
	player.ruffle().load({url: 'main.swf', parameters: {gateway: ${JSON.stringify(gateway)}}});
</script>`;

const TYPES = { '': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' };

async function file(name) {
	const contentType = TYPES[path.extname(name)] ?? 'application/octet-stream';
	if (name === '') return { contentType, body: html };
	const found = name === 'main.swf' ? swf : path.join(ruffle, path.basename(name));
	return { contentType, body: await readFile(found) };
}

async function insideOfTheBrowser(page) {
	const base = new URL('/-swf-/', gateway).href;
	await page.route(`${base}**`, async (route) => {
		route.fulfill(await file(route.request().url().slice(base.length)));
	});
	return base;
}

async function onASiteOfItsOwn() {
	const server = createServer(async (request, response) => {
		const { contentType, body } = await file(request.url.slice(1));
		response.writeHead(200, { 'Content-Type': contentType }).end(body);
	});
	await new Promise((resolve) => server.listen(Number(port), '127.0.0.1', resolve));
	server.unref();
	return `http://127.0.0.1:${port}/`;
}

const browser = await chromium.launch({
	executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
	args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
		'--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const deadline = setTimeout(() => {
	process.stderr.write('The SWF did not finish in time\n');
	browser.close().finally(() => process.exit(1));
}, TIMEOUT);
try {
	const page = await browser.newPage();
	page.on('console', (message) => process.stderr.write(`${message.text()}\n`));
	page.on('pageerror', (error) => process.stderr.write(`${error}\n`));
	await page.exposeFunction('report', (line) => process.stdout.write(`${line}\n`));
	let finish;
	const finished = new Promise((resolve) => { finish = resolve; });
	await page.exposeFunction('finished', () => finish());
	await page.goto(port ? await onASiteOfItsOwn() : await insideOfTheBrowser(page));
	await finished;
} finally {
	clearTimeout(deadline);
	await browser.close();
}
