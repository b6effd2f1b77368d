package conformance

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

const deflateName = "permessage-deflate"

// agreement is what an offer or its answer says (RFC 7692, section 7.1).
type agreement struct {
	serverNoTakeover, clientNoTakeover bool
	serverBits, clientBits             int // 15 where nothing is said
	saysServerBits, saysClientBits     bool
}

// parseAgreement reads an answer, or an offer. In an answer client_max_window_bits needs a value.
func parseAgreement(s string, isAnswer bool) (agreement, error) {
	a := agreement{serverBits: 15, clientBits: 15}
	params := strings.Split(s, ";")
	if name := strings.Trim(params[0], " \t"); name != deflateName {
		return a, fmt.Errorf("%q is not %s", name, deflateName)
	}
	seen := make(map[string]bool)
	for _, p := range params[1:] {
		name, value, hasValue := strings.Cut(strings.Trim(p, " \t"), "=")
		name = strings.Trim(name, " \t")
		if seen[name] {
			return a, fmt.Errorf("%s stands twice in %q", name, s)
		}
		seen[name] = true
		value = strings.Trim(strings.Trim(value, " \t"), `"`)
		if err := a.take(name, value, hasValue, isAnswer); err != nil {
			return a, fmt.Errorf("%w in %q", err, s)
		}
	}
	return a, nil
}

func (a *agreement) take(name, value string, hasValue, isAnswer bool) (err error) {
	switch name {
	case "server_no_context_takeover":
		a.serverNoTakeover = true
	case "client_no_context_takeover":
		a.clientNoTakeover = true
	case "server_max_window_bits":
		a.saysServerBits = true
		a.serverBits, err = windowBits(value)
		return err
	case "client_max_window_bits":
		a.saysClientBits = true
		if !hasValue && !isAnswer {
			return nil
		}
		a.clientBits, err = windowBits(value)
		return err
	default:
		return fmt.Errorf("unknown parameter %q", name)
	}
	if hasValue {
		return fmt.Errorf("%s has a value", name)
	}
	return nil
}

// windowBits reads a number from 8 to 15 without leading zeros.
func windowBits(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 8 || n > 15 || strconv.Itoa(n) != s {
		return 0, fmt.Errorf("window bits of %q", s)
	}
	return n, nil
}

// answers reports what in an answer the offer does not allow.
func (a agreement) answers(offer agreement) error {
	switch {
	case offer.serverNoTakeover && !a.serverNoTakeover:
		return fmt.Errorf("server_no_context_takeover was offered and is not in the answer")
	case offer.saysServerBits && !a.saysServerBits:
		return fmt.Errorf("server_max_window_bits was offered and is not in the answer")
	case a.serverBits > offer.serverBits:
		return fmt.Errorf("server_max_window_bits is %d, and %d was offered", a.serverBits, offer.serverBits)
	case a.saysClientBits && !offer.saysClientBits:
		return fmt.Errorf("client_max_window_bits is in the answer and was not offered")
	case a.clientBits > offer.clientBits && a.saysClientBits:
		return fmt.Errorf("client_max_window_bits is %d, and %d was offered", a.clientBits, offer.clientBits)
	}
	return nil
}

// agreed reads the server's answer to an offer; ok is false when it has declined.
func agreed(header http.Header, offer string) (a agreement, ok bool, err error) {
	lines := header.Values("Sec-WebSocket-Extensions")
	switch len(listed(lines)) {
	case 0:
		if len(lines) > 0 {
			return a, false, fmt.Errorf("the server sent an empty Sec-WebSocket-Extensions")
		}
		return a, false, nil
	case 1:
	default:
		return a, false, fmt.Errorf("the server answered with several extensions: %q", lines)
	}
	if a, err = parseAgreement(listed(lines)[0], true); err != nil {
		return a, false, fmt.Errorf("the server's answer is not valid: %w", err)
	}
	o, err := parseAgreement(offer, false)
	if err != nil {
		return a, false, err
	}
	if err := a.answers(o); err != nil {
		return a, false, fmt.Errorf("the server answered %q to the offer %q: %w", lines, offer, err)
	}
	return a, true, nil
}
