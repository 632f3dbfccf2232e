/** What arrived, as JSON that keeps the class of every value: `["Number", 1]`, `["Person", {…}]`. **/
class Tagged {
	public static function of(value:Dynamic):Array<Dynamic> {
		if (value == null) return ["null"];
		if (Std.isOfType(value, Bool)) return ["Boolean", value];
		if (Std.isOfType(value, Float)) return ["Number", value];
		if (Std.isOfType(value, String)) return ["String", value];
		if (Std.isOfType(value, Date)) return ["Date", (value : Date).getTime()];
		if (Std.isOfType(value, Array)) return ["Array", [for (item in (value : Array<Dynamic>)) of(item)]];
		if (Std.isOfType(value, Person)) return ["Person", fields(value, Type.getInstanceFields(Person))];
		var name:String = untyped __global__["flash.utils.getQualifiedClassName"](value);
		if (name.indexOf("Vector") >= 0) return [name, [for (index in 0...value.length) of(value[index])]];
		return ["Object", fields(value, Reflect.fields(value))];
	}

	static function fields(value:Dynamic, names:Array<String>):Dynamic {
		var tagged:Dynamic = {};
		for (name in names) Reflect.setField(tagged, name, of(Reflect.field(value, name)));
		return tagged;
	}
}
