// npm rtmp-client driven by JSON lines: one connection, calls both ways, remote shared objects.
//
//   node rtmp_client.cjs URL
//
// Commands: {do: 'call', method, arguments} · {do: 'use', name} · {do: 'set', name, key, value}
// (null deletes) · {do: 'clear', name} · {do: 'state', name} · {do: 'release', name}.
// Reports: connected, closed, pong, result, error, status, sync, state, and the server's calls.
const readline = require('node:readline');
const { NetConnection, SharedObject, Symbols } = require('rtmp-client');

const report = (event, facts) => process.stdout.write(`${JSON.stringify({ event, ...facts })}\n`);

const connection = new NetConnection();
connection.onSay = async (...args) => report('onSay', { arguments: args });
connection.ping2 = async (...args) => {
	report('ping2', { arguments: args });
	return 'yes, still here';
};
connection.onStatus = (information) => {
	const connected = information.code === 'NetConnection.Connect.Success';
	report(connected ? 'connected' : 'closed', { information });
};

const shared = (name) => SharedObject.get(name, false, connection);

const use = ({ name }) => {
	const object = shared(name);
	object.onStatus = ({ code }) => report('status', { name, code });
	object.onSync = (changes) => report('sync', { name, changes });
};

const state = ({ name }) => {
	const object = shared(name);
	const value = {};
	for (const key of object.getPropertyNames()) value[key] = object.getProperty(key);
	report('state', { name, value, version: object.version });
};

const call = (command) => connection.call(command.method, {
	onResult: (value) => report('result', { value }),
	onStatus: (information) => report('error', { information }),
}, ...command.arguments);

const commands = {
	call,
	use,
	state,
	set: ({ name, key, value }) => shared(name).setProperty(key, value),
	clear: ({ name }) => shared(name).clear(),
	release: ({ name }) => connection[Symbols.CLIENT].releaseSharedObject(name),
};

const lines = readline.createInterface({ input: process.stdin });
lines.on('line', (line) => {
	const command = JSON.parse(line);
	commands[command.do](command);
});
lines.on('close', () => process.exit(0));

connection.connect(process.argv[2]);
connection[Symbols.CLIENT].on('pong', () => report('pong'));
