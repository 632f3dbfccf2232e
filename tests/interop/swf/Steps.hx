import flash.Vector;
import flash.external.ExternalInterface;
import flash.net.NetConnection;
import flash.net.ObjectEncoding;
import flash.net.Responder;
import flash.utils.ByteArray;

/** Calls in steps: those of one step go out together, the next step waits for all their answers. **/
class Steps {
	static var connection = new NetConnection();
	static var pending = 0;
	static var steps:Array<Void->Void> = [batch, arrays, header, credentials, stranger, nobody];

	static function main() {
		untyped __global__["flash.net.registerClassAlias"]("demo.Person", Person);
		connection.objectEncoding = ObjectEncoding.AMF0;
		connection.connect(flash.Lib.current.loaderInfo.parameters.gateway);
		next();
	}

	static function next() {
		var step = steps.shift();
		if (step == null) ExternalInterface.call("finished") else step();
	}

	static function batch() {
		for (number in 0...5) call('batch $number', "echo.echo", [number]);
		call("batch fails", "echo.fail", ["alone"]);
		call("batch goes on", "math.add", [20, 22]);
	}

	static function arrays() {
		call("ints", "probe.kinds", [Vector.ofArray([1, -2, 3])]);
		call("doubles", "probe.kinds", [Vector.ofArray([0.5, 1e300])]);
		call("texts", "probe.kinds", [Vector.ofArray(["one", "two"])]);
		call("people", "probe.kinds", [[person("Ada"), person("Grace")]]);
		call("vector of people", "probe.kinds", [Vector.ofArray([person("Ada")])]);
		call("bytes", "probe.kinds", [bytes(), "behind"]);
		call("list", "people.list", [2]);
		call("ints back", "probe.numbers", []);
	}

	static function header() {
		connection.addHeader("X-Test", false, {ticket: 7, list: [1, 2]});
		call("header", "probe.headers", []);
	}

	static function credentials() {
		connection.addHeader("Credentials", false, {userid: "ada", password: "lovelace"});
		call("whoami", "staff.whoami", []);
		call("both headers", "probe.headers", []);
	}

	static function stranger() {
		connection.addHeader("Credentials", false, {userid: "eve", password: "guess"});
		call("stranger", "staff.whoami", []);
	}

	static function nobody() {
		connection.addHeader("X-Unknown", true, 1);
		call("not understood", "echo.echo", [1]);
	}

	static function person(name:String):Person {
		var person = new Person();
		person.name = name;
		person.age = 36;
		person.tags = [];
		return person;
	}

	static function bytes():ByteArray {
		var bytes = new ByteArray();
		bytes.writeByte(1);
		return bytes;
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
		var report = {name: name, outcome: outcome, value: Tagged.of(value)};
		ExternalInterface.call("report", haxe.Json.stringify(report));
		if (--pending == 0) next();
	}
}
