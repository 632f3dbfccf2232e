import flash.events.NetStatusEvent;
import flash.external.ExternalInterface;
import flash.net.NetConnection;

/** Two RTMP connections over sockets, which the page sends through a WebSocket. **/
class Tunnel {
	static inline var HOST = "game.example";
	static inline var PORT = 1935;

	static var ann:RtmpSocket;
	static var bob:RtmpSocket;

	static function main() {
		ownConnection();
		ann = new RtmpSocket(HOST, PORT, "lobby/film", values -> {
			report("connected", "result", values[0]);
			bob = new RtmpSocket(HOST, PORT, "lobby/film", _ -> echoes());
		});
		ann.methods["ping2"] = arguments -> {
			report("ping2", "called", arguments);
			return "yes, in Ruffle";
		};
		ann.methods["onSay"] = arguments -> {
			report("onSay", "called", arguments);
			ann.close();
			bob.close();
			ExternalInterface.call("finished");
			return null;
		};
	}

	/** Ruffle's own NetConnection, towards RTMP. **/
	static function ownConnection() {
		var connection = new NetConnection();
		connection.addEventListener(NetStatusEvent.NET_STATUS, event -> report("own", "status", event.info));
		try {
			connection.connect('rtmp://$HOST/lobby');
			report("own connect", "result", connection.connected);
		} catch (error:Dynamic) {
			report("own connect", "error", Std.string(error));
		}
	}

	static function echoes() {
		var object = {name: "Ada", list: [1, 2], nested: {deep: 1.5}};
		var values:Map<String, Dynamic> = [
			"number" => 42.5,
			"text" => "Grüße, 世界 🎈",
			"long" => StringTools.rpad("", "x", 60000),
			"true" => true,
			"nothing" => null,
			"object" => object,
		];
		for (name => value in values) {
			ann.call("echo.echo", [value], (outcome, values) -> report(name, outcome, values[0]));
		}
		ann.call("echo.fail", ["no luck"], (outcome, values) -> report("fail", outcome, values[0]));
		ann.call("lobby.callme", [], (outcome, values) -> {
			report("callme", outcome, values[0]);
			bob.call("lobby.say", ["across"], (_, _) -> {});
		});
	}

	static function report(name:String, outcome:String, value:Dynamic) {
		ExternalInterface.call("report", haxe.Json.stringify({name: name, outcome: outcome, value: Tagged.of(value)}));
	}
}
