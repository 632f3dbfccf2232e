// A relay between TCP sockets and RTMP inside a WebSocket: what speaks RTMP over TCP connects to
// it and reaches a server through its `/ws/tunnel/`.
//
//   node websocket_relay.mjs ws://host:port/ws/tunnel/
//
// Reports {"event": "listening", "port": …}; each TCP connection gets a WebSocket of its own.
import net from 'node:net';
import { WebSocket, createWebSocketStream } from 'ws';

const report = (event, facts) => process.stdout.write(`${JSON.stringify({ event, ...facts })}\n`);

const relay = (socket) => {
	const tunnel = createWebSocketStream(new WebSocket(process.argv[2]));
	socket.setNoDelay(true);
	for (const [from, to] of [[socket, tunnel], [tunnel, socket]]) {
		from.pipe(to);
		from.on('error', () => to.destroy());
	}
};

const server = net.createServer(relay);
server.listen(0, '127.0.0.1', () => report('listening', { port: server.address().port }));
process.stdin.on('end', () => process.exit(0)).resume();
