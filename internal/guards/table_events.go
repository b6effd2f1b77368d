package main

var eventGuards = []guard{
	{"events: depth of objects", "codec/json_scan.go", `if depth > MaxDepth || !s.byte('{') {`, `if !s.byte('{') {`, "./codec", "^TestOpen"},
	{"events: depth of arrays", "codec/json_scan.go", `if depth > MaxDepth || !s.byte('[') {`, `if !s.byte('[') {`, "./codec", "^TestOpen"},
	{"events: nothing behind the object", "codec/json.go", `if s.at < len(message) {`, `if false {`, "./codec", "^TestOpen"},
	{"events: one type", "codec/json.go", `if m.kinds != 1 || `, `if m.kinds < 1 || `, "./codec", "^TestOpen"},
	{"events: one id, one data", "codec/json.go", `if m.ids > 1 || m.datas > 1 {`, `if false {`, "./codec", "^TestOpen"},
	{"events: the length of an id", "codec/json.go", `&& len(m.id) <= MaxID &&`, `&&`, "./codec", "^TestOpen"},
	{"events: what an id is", "codec/json.go", `(m.id[0] == '"' || `, `(m.id[0] > 0 || `, "./codec", "^TestOpen"},
	{"events: capitals are no way around", "codec/json.go", `case bytes.EqualFold(name, []byte(Type)):`, `case string(name) == Type:`, "./codec", "^TestOpen"},
	{"events: a value has no type of its own", "codec/json.go", `return ErrOwnType`, `break`, "./codec", "^TestAppend"},
	{"events: control characters", "codec/json_scan.go", `case b < ' ':`, `case false:`, "./codec", "^TestOpen"},
	{"events: what does not decode", "hub/event.go", `if e.codec.Decode(body, &p) != nil {`, `if _ = e.codec.Decode(body, &p); false {`, "./hub", "^TestRefusedEvents"},
	{"events: Validate", "hub/event.go", `if err := v.Validate(); err != nil {`, `if err := v.Validate(); false {`, "./hub", "^TestRefusedEvents"},
	{"events: Validate is not called on nil", "hub/event.go", `if reflect.ValueOf(*p).IsNil() {`, `if false {`, "./hub", "^TestRefusedEvents"},
	{"events: what Validate says stays inside", "hub/event_error.go", `return errInvalid`, `return EventError{CodeInvalid, err.Error()}`, "./hub", "^TestRefusedEvents"},
	{"events: answers are bounded", "hub/event_error.go", `if c.complaints.Allow(c.wire.ReadAt(), answers) {`, `if true {`, "./hub", "^TestComplaints"},
	{"events: text or binary", "hub/event_dispatch.go", `if (m.Type == ws.Binary) != e.codec.Binary() {`, `if false {`, "./hub", "^TestBinaryEvents"},
	{"events: once there is a connection it is too late", "hub/hub.go", "h.typed.frozen = true\n", "h.typed.frozen = false\n", "./hub", "^TestMisplacedEvents"},
}
