// Runs a SWF in Ruffle in headless Chromium and prints what it reports, one JSON value a line.
//
//   node run_swf.mjs SWF GATEWAY_URL
//
// The page, Ruffle and the SWF are answered inside of the browser at the gateway's own origin, so
// that only the remoting requests reach the network, and reach it as in any page of that site.
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import { chromium } from 'playwright-core';

const TIMEOUT = 40_000;
const [swf, gateway] = process.argv.slice(2);
const ruffle = path.dirname(fileURLToPath(import.meta.resolve('@ruffle-rs/ruffle/package.json')));
const base = new URL('/-swf-/', gateway).href;
const print = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

const html = `<!doctype html><meta charset="utf-8"><title>SWF</title>
<script>window.RufflePlayer = {config: {
	allowNetworking: 'all', allowScriptAccess: true, autoplay: 'on', splashScreen: false,
	unmuteOverlay: 'hidden', logLevel: 'warn', polyfills: false,
}};</script>
<script src="ruffle.js"></script>
<div id="stage"></div>
<script>
	const player = window.RufflePlayer.newest().createPlayer();
	document.getElementById('stage').append(player);
	(player.ruffle ? player.ruffle() : player).load({url: 'main.swf', parameters: {gateway: ${JSON.stringify(gateway)}}});
</script>`;

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
	await page.route(`${base}**`, (route) => {
		const name = route.request().url().slice(base.length);
		if (name === '') return route.fulfill({ contentType: 'text/html', body: html });
		return route.fulfill({ path: name === 'main.swf' ? swf : path.join(ruffle, name) });
	});
	await page.exposeFunction('report', (line) => print(JSON.parse(line)));
	const finished = new Promise((resolve) => page.exposeFunction('finished', resolve).then(() => page.goto(base)));
	await finished;
} finally {
	clearTimeout(deadline);
	await browser.close();
}
