package wire

import "unicode/utf8"

// utf8Check checks text that comes in pieces. It refuses at the first byte that no valid text can have there
// (RFC 6455, section 8.1), also in the middle of a character.
type utf8Check struct {
	tail [utf8.UTFMax]byte // the start of a character that the last piece ended in
	n    int
}

// write reports whether all that was written so far can still become valid text.
func (u *utf8Check) write(p []byte) bool {
	for u.n > 0 && len(p) > 0 {
		u.tail[u.n] = p[0]
		u.n++
		p = p[1:]
		if !utf8.FullRune(u.tail[:u.n]) {
			continue
		}
		if r, size := utf8.DecodeRune(u.tail[:u.n]); r == utf8.RuneError && size == 1 {
			return false
		}
		u.n = 0
	}
	if u.n > 0 {
		return true
	}
	whole := len(p) - incomplete(p)
	u.n = copy(u.tail[:], p[whole:])
	return utf8.Valid(p[:whole])
}

// complete reports whether the text may end here, and starts anew.
func (u *utf8Check) complete() bool {
	done := u.n == 0
	u.n = 0
	return done
}

// incomplete returns how many bytes at the end of p start a character without finishing it.
func incomplete(p []byte) int {
	for i := 1; i < utf8.UTFMax && i <= len(p); i++ {
		if c := p[len(p)-i]; utf8.RuneStart(c) {
			if utf8.FullRune(p[len(p)-i:]) {
				return 0
			}
			return i
		}
	}
	return 0
}
