/** What a call came to instead of a result. **/
class Fault {
	/** A dotted code: "Client.BadArguments". **/
	public final code:String;
	public final description:String;
	/** All that the server tells: level, code, description, and what the service added. **/
	public final information:Dynamic;

	public function new(information:Dynamic) {
		this.information = information;
		code = Std.string(Reflect.field(information, "code"));
		description = Std.string(Reflect.field(information, "description"));
	}
}

/** The answer to a call: it comes in a later frame than the call was made in. **/
class Reply<T> {
	var onResult:T->Void;
	var onFault:Fault->Void;

	public function new() {}

	/** Says what is to be done with the answer. **/
	public function then(onResult:T->Void, ?onFault:Fault->Void):Reply<T> {
		this.onResult = onResult;
		this.onFault = onFault;
		return this;
	}

	public function succeed(value:Dynamic) {
		if (onResult != null) onResult(value);
	}

	public function fail(information:Dynamic) {
		if (onFault != null) onFault(new Fault(information));
	}
}

/** One gateway: calls that are made in one frame travel together. **/
class Door {
	public final connection = new NetConnection();
	final waiting:Array<Reply<Dynamic>> = [];

	public function new(url:String, encoding:UInt) {
		connection.objectEncoding = encoding;
		connection.addEventListener(NetStatusEvent.NET_STATUS, onNetStatus);
		connection.connect(url);
	}

	public function call<T>(target:String, values:Array<Dynamic>):Reply<T> {
		var reply = new Reply<T>();
		var waits:Reply<Dynamic> = cast reply;
		waiting.push(waits);
		var responder = new Responder(
			function(value:Dynamic) if (waiting.remove(waits)) waits.succeed(value),
			function(information:Dynamic) if (waiting.remove(waits)) waits.fail(information)
		);
		var everything:Array<Dynamic> = [target, responder];
		Reflect.callMethod(connection, connection.call, everything.concat(values));
		return reply;
	}

	/** No responder hears of a gateway that cannot be reached. **/
	function onNetStatus(event:NetStatusEvent) {
		if (Reflect.field(event.info, "level") != "error") return;
		for (reply in waiting.splice(0, waiting.length)) reply.fail(event.info);
	}

	/** Arguments without those at the end that are not given. **/
	public static function given(values:Array<Dynamic>, required:Int):Array<Dynamic> {
		while (values.length > required && values[values.length - 1] == null) values.pop();
		return values;
	}
}
