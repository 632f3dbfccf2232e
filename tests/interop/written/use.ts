// Uses a written client of the demo site and prints what came, as JSON: node use.js GATEWAY_URL
import { Fault, Remoting, type Person } from './client.js';

declare const process: { argv: string[] };

const remoting = new Remoting(process.argv[2]!);
const ada: Person = await remoting.people.get('Ada');
const names: string[] = (await remoting.people.list(2)).map((person) => person.name);

async function fault(call: Promise<unknown>): Promise<unknown> {
	try {
		return await call;
	} catch (error) {
		if (!(error instanceof Fault)) throw error;
		return [error.status, error.code, error.message];
	}
}

// What the signatures forbid must not compile.
export const wrong = [
	// @ts-expect-error a text is no number
	() => remoting.math.add('1', 2),
	// @ts-expect-error an argument is missing
	() => remoting.math.add(1),
	// @ts-expect-error there is no such method
	() => remoting.math.multiply(1, 2),
	// @ts-expect-error a person has no such member
	() => ada.height,
];

console.log(JSON.stringify({
	ada,
	names,
	default: (await remoting.people.list()).length,
	sum: await remoting.math.add(20, 22.5),
	arguments: await remoting.echo.args('one', 2, true),
	none: await remoting.echo.args(),
	echo: await remoting.echo.echo({ deep: [1, { text: 'Grüße 🎈' }] }),
	now: Math.abs(Date.parse(await remoting.clock.now()) - Date.now()) < 3_600_000,
	failed: await fault(remoting.echo.fail('no luck')),
	failedByDefault: await fault(remoting.echo.fail()),
	refused: await fault(remoting.staff.whoami()),
	elsewhere: await fault(new Remoting(new URL('/nowhere/', process.argv[2]).href).clock.now()),
}));
