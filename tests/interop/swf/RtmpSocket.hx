import flash.events.Event;
import flash.events.IOErrorEvent;
import flash.events.ProgressEvent;
import flash.net.ObjectEncoding;
import flash.net.Socket;
import flash.utils.ByteArray;

/** RTMP over a socket of the film's own: the plain handshake, AMF0 commands both ways. **/
class RtmpSocket {
	static inline var HANDSHAKE = 1536;
	static inline var SET_CHUNK_SIZE = 1;
	static inline var COMMAND = 20;

	/** What the server may call. **/
	public var methods:Map<String, Array<Dynamic> -> Dynamic> = [];

	var socket = new Socket();
	var unread = new ByteArray();
	var application:String;
	var onConnected:Array<Dynamic> -> Void;
	var handshaken = false;
	var answers:Map<Int, (String, Array<Dynamic>) -> Void> = [];
	var lastTransaction = 1;
	var readSize = 128;
	var partial:Map<Int, Partial> = [];

	public function new(host:String, port:Int, application:String, onConnected:Array<Dynamic> -> Void) {
		this.application = application;
		this.onConnected = onConnected;
		socket.addEventListener(Event.CONNECT, _ -> open());
		socket.addEventListener(ProgressEvent.SOCKET_DATA, _ -> received());
		socket.addEventListener(IOErrorEvent.IO_ERROR, event -> trace('no connection: $event'));
		socket.connect(host, port);
	}

	public function call(method:String, arguments:Array<Dynamic>, answered:(String, Array<Dynamic>) -> Void) {
		answers[++lastTransaction] = answered;
		command(([method, lastTransaction, null] : Array<Dynamic>).concat(arguments));
	}

	public function close() {
		socket.close();
	}

	function open() {
		socket.writeByte(3);
		for (_ in 0...HANDSHAKE) socket.writeByte(0);
		socket.flush();
	}

	function received() {
		socket.readBytes(unread, unread.length, socket.bytesAvailable);
		if (!handshaken && !shakeHands()) return;
		while (readChunk()) {}
	}

	function shakeHands():Bool {
		if (unread.length < 1 + 2 * HANDSHAKE) return false;
		handshaken = true;
		socket.writeBytes(unread, 1, HANDSHAKE);
		unread.position = 1 + 2 * HANDSHAKE;
		forget();
		answers[1] = (_, values) -> onConnected(values);
		command(["connect", 1, {app: application, tcUrl: 'rtmp://film/$application', objectEncoding: 0}]);
		return true;
	}

	/** Drops what has been read. **/
	function forget() {
		var rest = new ByteArray();
		rest.writeBytes(unread, unread.position);
		unread = rest;
	}

	/** False if the chunk is not there yet as a whole. **/
	function readChunk():Bool {
		unread.position = 0;
		if (unread.bytesAvailable < 1) return false;
		var first = unread.readUnsignedByte();
		var id = first & 63, format = first >> 6;
		if (Std.int(unread.bytesAvailable) < [11, 7, 3, 0][format]) return false;
		var message = partial[id];
		if (message == null) message = partial[id] = new Partial();
		if (format < 3) readThreeBytes(); // times do not matter here
		if (format < 2) {
			message.length = readThreeBytes();
			message.type = unread.readUnsignedByte();
		}
		if (format == 0) unread.readInt();
		var left:Int = message.length - message.payload.length;
		var size = left < readSize ? left : readSize;
		if (Std.int(unread.bytesAvailable) < size) return false;
		message.payload.writeBytes(unread, unread.position, size);
		unread.position += size;
		forget();
		if (size == left) handle(message.type, message.take());
		return true;
	}

	function readThreeBytes():Int {
		return unread.readUnsignedByte() << 16 | unread.readUnsignedShort();
	}

	function handle(type:Int, payload:ByteArray) {
		if (type == SET_CHUNK_SIZE) readSize = payload.readInt();
		if (type != COMMAND) return;
		payload.objectEncoding = ObjectEncoding.AMF0;
		var values:Array<Dynamic> = [];
		while (payload.bytesAvailable > 0) values.push(payload.readObject());
		var name:String = values[0], transaction:Int = values[1], rest = values.slice(3);
		if (name == "_result" || name == "_error") {
			var answered = answers[transaction];
			answers.remove(transaction);
			if (answered != null) answered(name, rest);
		} else if (methods.exists(name)) {
			var value = methods[name](rest);
			if (transaction != 0) command(["_result", transaction, null, value]);
		}
	}

	/** One message on chunk stream 3, in chunks of 128 bytes. **/
	function command(values:Array<Dynamic>) {
		var payload = new ByteArray();
		payload.objectEncoding = ObjectEncoding.AMF0;
		for (value in values) payload.writeObject(value);
		socket.writeByte(3);
		for (byte in [0, 0, 0]) socket.writeByte(byte);
		socket.writeByte(payload.length >> 16);
		socket.writeShort(payload.length & 0xFFFF);
		socket.writeByte(COMMAND);
		socket.writeInt(0);
		var at = 0, length:Int = payload.length;
		while (at < length) {
			if (at > 0) socket.writeByte(0xC3);
			var size = length - at < 128 ? length - at : 128;
			socket.writeBytes(payload, at, size);
			at += size;
		}
		socket.flush();
	}
}

/** A message of which not all chunks have come. **/
class Partial {
	public var length = 0;
	public var type = 0;
	public var payload = new ByteArray();

	public function new() {}

	public function take():ByteArray {
		var whole = payload;
		whole.position = 0;
		payload = new ByteArray();
		return whole;
	}
}
