// Package codec encodes typed events. A message is an object whose "type" names the event:
//
//	{"type":"say","room":"lobby","text":"hello"}
//	{"type":"count","data":3}
//	{"type":"rename","id":7,"name":"Ada"}
//
// A struct or a map stands beside the type with its own fields; every other body stands in "data", see [Beside]. An
// "id" tells which request an answer belongs to.
//
// [JSON] is the codec of clients which ask for none. Others are modules of their own.
package codec
