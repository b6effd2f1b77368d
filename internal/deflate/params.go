package deflate

import "strconv"

// The extension and its parameters, as they are registered.
const (
	name             = "permessage-deflate"
	serverNoTakeover = "server_no_context_takeover"
	clientNoTakeover = "client_no_context_takeover"
	serverWindowBits = "server_max_window_bits"
	clientWindowBits = "client_max_window_bits"

	// MinBits and MaxBits bound the logarithm of a window's size in bytes.
	MinBits = 8
	MaxBits = 15
)

// Params are what both sides have agreed on (RFC 7692, section 7.1).
type Params struct {
	ServerTakeover bool // the server's messages may refer to those before them
	ClientTakeover bool // the client's may
	ServerBits     int  // of the window of the server's messages
	ClientBits     int  // of the client's
}

// Policy is what a server agrees to.
type Policy struct {
	ServerTakeover bool // refer to earlier messages, unless the client does not want it
	ClientTakeover bool // let the client do so
	ServerBits     int  // largest window of the server's messages
	ClientBits     int  // of the client's, where the client can restrict itself
}

// Negotiate answers the Sec-WebSocket-Extensions fields of a client, in their order: with the value of the response's
// field and what it means for the first offer that can be accepted, or with "" when there is none. The error is
// [ErrMalformed].
func (o Policy) Negotiate(fields ...string) (answer string, p Params, err error) {
	var offers []extension
	for _, field := range fields {
		if offers, err = parseExtensions(offers, field); err != nil {
			return "", Params{}, err
		}
	}
	for _, e := range offers {
		if answer, p, ok := o.accept(e); ok {
			return answer, p, nil
		}
	}
	return "", Params{}, nil
}

// accept answers one offer. Whatever is unknown, repeated or wrong in it declines it.
func (o Policy) accept(e extension) (answer string, p Params, ok bool) {
	f, ok := parseOffer(e)
	if !ok {
		return "", Params{}, false
	}
	p = Params{
		ServerTakeover: o.ServerTakeover && !f.serverNoTakeover,
		ClientTakeover: o.ClientTakeover && !f.clientNoTakeover,
		ServerBits:     min(o.ServerBits, f.serverBits),
		ClientBits:     MaxBits,
	}
	if f.clientBits != 0 {
		p.ClientBits = min(o.ClientBits, f.clientBits)
	}
	answer = name
	if !p.ServerTakeover {
		answer += "; " + serverNoTakeover
	}
	if !p.ClientTakeover {
		answer += "; " + clientNoTakeover
	}
	if f.serverBitsOffered || p.ServerBits < MaxBits {
		answer += "; " + serverWindowBits + "=" + strconv.Itoa(p.ServerBits)
	}
	if p.ClientBits < MaxBits {
		answer += "; " + clientWindowBits + "=" + strconv.Itoa(p.ClientBits)
	}
	return answer, p, true
}

// offer is what a client says of itself and wants of the server.
type offer struct {
	serverNoTakeover  bool
	clientNoTakeover  bool
	serverBits        int
	serverBitsOffered bool
	clientBits        int // 0: it cannot restrict itself
}

func parseOffer(e extension) (f offer, ok bool) {
	if e.name != name {
		return f, false
	}
	f.serverBits = MaxBits
	for i, p := range e.params {
		if repeated(e.params[:i], p.name) || !f.take(p) {
			return f, false
		}
	}
	return f, true
}

func repeated(before []param, name string) bool {
	for _, p := range before {
		if p.name == name {
			return true
		}
	}
	return false
}

// take notes one parameter, and reports whether it is one.
func (f *offer) take(p param) (ok bool) {
	switch p.name {
	case serverNoTakeover:
		f.serverNoTakeover = true
		return !p.hasValue
	case clientNoTakeover:
		f.clientNoTakeover = true
		return !p.hasValue
	case serverWindowBits:
		f.serverBitsOffered = true
		f.serverBits, ok = bits(p.value)
		return ok
	case clientWindowBits:
		if !p.hasValue {
			f.clientBits = MaxBits
			return true
		}
		f.clientBits, ok = bits(p.value)
		return ok
	default:
		return false
	}
}

// bits reads a decimal number from 8 to 15 without leading zeros (RFC 7692, section 7.1.2).
func bits(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= MinBits && n <= MaxBits && strconv.Itoa(n) == s
}

// ParseAnswer reads back what [Policy.Negotiate] has answered, and panics about anything else.
func ParseAnswer(answer string) Params {
	list, err := parseExtensions(nil, answer)
	if err != nil || len(list) != 1 {
		panic("deflate: not an answer to an offer: " + strconv.Quote(answer))
	}
	f, ok := parseOffer(list[0])
	if !ok {
		panic("deflate: not an answer to an offer: " + strconv.Quote(answer))
	}
	p := Params{
		ServerTakeover: !f.serverNoTakeover,
		ClientTakeover: !f.clientNoTakeover,
		ServerBits:     f.serverBits,
		ClientBits:     MaxBits,
	}
	if f.clientBits != 0 {
		p.ClientBits = f.clientBits
	}
	return p
}
