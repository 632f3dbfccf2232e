import flash.events.NetStatusEvent;
import flash.external.ExternalInterface;
import flash.net.NetConnection;
import flash.net.ObjectEncoding;
import flash.net.Responder;

/** Calls the gateway named by the flashvar `gateway` and reports every answer to the page. **/
class Main {
	static var connection = new NetConnection();
	static var pending = 0;

	static function main() {
		untyped __global__["flash.net.registerClassAlias"]("demo.Person", Person);
		connection.objectEncoding = ObjectEncoding.AMF0;
		connection.addEventListener(NetStatusEvent.NET_STATUS, onNetStatus);
		connection.connect(flash.Lib.current.loaderInfo.parameters.gateway);
		echoes();
		call("nothing", "echo.echo", [null]);
		call("add", "math.add", [20, 22.5]);
		call("arguments", "echo.args", ["one", 2, true]);
		call("person", "people.get", ["Ada"]);
		call("person there and back", "echo.echo", [grace()]);
		call("fail", "echo.fail", ["no luck"]);
		call("unknown", "echo.nothing_of_the_kind", []);
	}

	/** Over HTTP only failures come here: no responder is called then. **/
	static function onNetStatus(event:NetStatusEvent) {
		report("connection", "status", event.info);
		ExternalInterface.call("finished");
	}

	static function echoes() {
		var values:Map<String, Dynamic> = [
			"true" => true,
			"false" => false,
			"int" => 268435456,
			"negative int" => -17,
			"float" => 3.25,
			"2^53" => 9007199254740992.0,
			"1e300" => 1e300,
			"text" => "Grüße, 世界 🎈",
			"empty text" => "",
			"array" => ([1, "two", null, [true]] : Array<Dynamic>),
			"object" => {name: "Ada", nested: {deep: 1.5}, list: [1, 2]},
			"date" => Date.fromTime(1234567890123.0),
		];
		for (name => value in values) call(name, "echo.echo", [value]);
	}

	static function grace():Person {
		var person = new Person();
		person.name = "Grace";
		person.age = 85;
		person.born = Date.fromTime(-1996876800000.0);
		person.tags = ["navy", "compilers"];
		return person;
	}

	static function call(name:String, method:String, arguments:Array<Dynamic>) {
		pending++;
		var responder = new Responder(
			value -> answered(name, "result", value),
			information -> answered(name, "status", information)
		);
		var everything:Array<Dynamic> = [method, responder];
		Reflect.callMethod(connection, connection.call, everything.concat(arguments));
	}

	static function answered(name:String, outcome:String, value:Dynamic) {
		report(name, outcome, value);
		if (--pending == 0) ExternalInterface.call("finished");
	}

	static function report(name:String, outcome:String, value:Dynamic) {
		ExternalInterface.call("report", haxe.Json.stringify({name: name, outcome: outcome, value: Tagged.of(value)}));
	}
}
