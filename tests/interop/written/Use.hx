import Remoting;

import flash.external.ExternalInterface;

/** Calls the gateway of the flashvar `gateway` by a written client, and reports what came. **/
class Use {
	static var pending = 0;

	static function main() {
		var parameters:Dynamic = flash.Lib.current.loaderInfo.parameters;
		var remoting = new Remoting(parameters.gateway);
		expect("add", remoting.math.add(20, 22.5), sum -> sum + 1);
		expect("ada", remoting.people.get("Ada"), person);
		expect("people", remoting.people.list(2), people -> people.map(person));
		expect("default", remoting.people.list(), people -> people.length);
		expect("arguments", remoting.echo.args(["one", 2, true]), values -> values);
		expect("none", remoting.echo.args(), values -> values.length);
		expect("echo", remoting.echo.echo({deep: [1, 2.5]}), value -> value);
		expect("now", remoting.clock.now(), now -> Math.abs(now.getTime() - Date.now().getTime()) < 3.6e6);
		expect("fail", remoting.echo.fail("no luck"), value -> value);
		expect("refused", remoting.staff.whoami(), name -> name);
	}

	static function person(one:Person):Dynamic {
		return {
			isPerson: Std.isOfType(one, Person),
			name: one.name,
			age: one.age,
			born: one.born.getTime(),
			tags: one.tags.join("+"),
		};
	}

	static function expect<T>(name:String, reply:Reply<T>, shown:T->Dynamic) {
		pending++;
		reply.then(
			value -> report(name, "result", shown(value)),
			fault -> report(name, "fault", [fault.code, fault.description])
		);
	}

	static function report(name:String, outcome:String, value:Dynamic) {
		ExternalInterface.call("report", haxe.Json.stringify({name: name, outcome: outcome, value: value}));
		if (--pending == 0) ExternalInterface.call("finished");
	}
}
