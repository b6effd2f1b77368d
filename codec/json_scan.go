package codec

// scanner walks over JSON and decodes nothing. Every method stands before what it passes, and behind it when it returns
// true.
type scanner struct {
	p  []byte
	at int
}

// next returns the byte ahead, and 0, which stands nowhere in JSON, at the end.
func (s *scanner) next() byte {
	if s.at < len(s.p) {
		return s.p[s.at]
	}
	return 0
}

func (s *scanner) space() {
	for s.at < len(s.p) {
		switch s.p[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

func (s *scanner) byte(b byte) bool {
	if s.next() != b {
		return false
	}
	s.at++
	return true
}

// value passes a value that lies in depth others.
func (s *scanner) value(depth int) bool {
	switch b := s.next(); b {
	case '{':
		return s.object(depth + 1)
	case '[':
		return s.array(depth + 1)
	case '"':
		return s.text()
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	default:
		return s.number()
	}
}

func (s *scanner) object(depth int) bool {
	if depth > MaxDepth || !s.byte('{') {
		return false
	}
	for first := true; ; first = false {
		if _, more, ok := s.member(first); !more {
			return ok
		}
		if !s.value(depth) {
			return false
		}
	}
}

// member passes the key of an object's next member, whose value is ahead then. Without more it stands behind the
// object, if that is ok.
func (s *scanner) member(first bool) (key []byte, more, ok bool) {
	s.space()
	if s.byte('}') {
		return nil, false, true
	}
	if !first {
		if !s.byte(',') {
			return nil, false, false
		}
		s.space()
	}
	from := s.at
	if !s.text() {
		return nil, false, false
	}
	key = s.p[from:s.at]
	s.space()
	if !s.byte(':') {
		return nil, false, false
	}
	s.space()
	return key, true, true
}

func (s *scanner) array(depth int) bool {
	if depth > MaxDepth || !s.byte('[') {
		return false
	}
	for first := true; ; first = false {
		s.space()
		if s.byte(']') {
			return true
		}
		if !first {
			if !s.byte(',') {
				return false
			}
			s.space()
		}
		if !s.value(depth) {
			return false
		}
	}
}

func (s *scanner) literal(word string) bool {
	if len(s.p)-s.at < len(word) || string(s.p[s.at:s.at+len(word)]) != word {
		return false
	}
	s.at += len(word)
	return true
}

// text passes a string with its quotes.
func (s *scanner) text() bool {
	if !s.byte('"') {
		return false
	}
	for s.at < len(s.p) {
		b := s.p[s.at]
		s.at++
		switch {
		case b == '"':
			return true
		case b < ' ':
			return false
		case b == '\\' && !s.escape():
			return false
		}
	}
	return false
}

// escape passes what follows a backslash.
func (s *scanner) escape() bool {
	b := s.next()
	s.at++
	switch b {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		for range 4 {
			if !isHex(s.next()) {
				return false
			}
			s.at++
		}
		return true
	default:
		return false
	}
}

func isHex(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'f' || b >= 'A' && b <= 'F'
}

func (s *scanner) number() bool {
	s.byte('-')
	if !s.byte('0') && !s.digits() {
		return false
	}
	if s.byte('.') && !s.digits() {
		return false
	}
	if b := s.next(); b == 'e' || b == 'E' {
		s.at++
		if !s.byte('+') {
			s.byte('-')
		}
		return s.digits()
	}
	return true
}

// digits passes one digit or more.
func (s *scanner) digits() bool {
	from := s.at
	for b := s.next(); b >= '0' && b <= '9'; b = s.next() {
		s.at++
	}
	return s.at > from
}
