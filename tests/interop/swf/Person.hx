/** The client's class behind the alias "demo.Person". **/
class Person {
	public var name:String;
	public var age:Int;
	public var born:Date;
	public var tags:Array<Dynamic>;

	public function new() {}
}
