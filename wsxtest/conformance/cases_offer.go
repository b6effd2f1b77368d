package conformance

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
)

const extensions = "Sec-WebSocket-Extensions"

// offerCases are offers of permessage-deflate and their answers (RFC 7692, sections 5 and 7.1).
func offerCases() []Case {
	all := []Case{
		accepts("7692-7.1", "plain", deflateName, deflateName),
		accepts("7692-7.1.1.1", "server_no_context_takeover", deflateName+"; server_no_context_takeover", deflateName+"; server_no_context_takeover"),
		accepts("7692-7.1.1.2", "client_no_context_takeover", deflateName+"; client_no_context_takeover", deflateName+"; client_no_context_takeover"),
		accepts("7692-7.1.1", "no-takeover-at-all", deflateName+"; client_no_context_takeover; server_no_context_takeover",
			deflateName+"; client_no_context_takeover; server_no_context_takeover"),
		accepts("7692-7.1.2.2", "client_max_window_bits", deflateName+"; client_max_window_bits", deflateName+"; client_max_window_bits"),
		accepts("7692-7.1", "everything", deflateName+"; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=15; client_max_window_bits=15",
			deflateName+"; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=15; client_max_window_bits=15"),
		accepts("7692-7.1", "without-spaces", deflateName+"; client_max_window_bits", deflateName+";client_max_window_bits"),
		accepts("7692-7.1", "with-tabs", deflateName+"; client_max_window_bits", "\t"+deflateName+"\t;\tclient_max_window_bits\t"),
		accepts("7692-7.1.2.1", "server_max_window_bits-15-in-quotes", deflateName+"; server_max_window_bits=15", deflateName+`; server_max_window_bits="15"`),
		accepts("7692-7.1.2.2", "client_max_window_bits-15-in-quotes", deflateName+"; client_max_window_bits=15", deflateName+`; client_max_window_bits="15"`),
		accepts("7692-7.1", "after-an-unknown-extension", deflateName, "x-conformance, "+deflateName),
		accepts("7692-7.1", "before-an-unknown-extension", deflateName, deflateName+", x-conformance; a=b"),
		accepts("7692-7.1", "on-the-second-line", deflateName, "x-conformance; a", deflateName),
		accepts("7692-7.1", "between-empty-elements", deflateName, ", ,"+deflateName+",,"),
		accepts("7692-5", "fallback-after-an-unknown-parameter", deflateName, deflateName+"; x_unknown, "+deflateName),
		accepts("7692-5", "fallback-after-a-bad-value", deflateName, deflateName+"; server_max_window_bits=16, "+deflateName),
		accepts("7692-5", "fallback-on-the-second-line", deflateName, deflateName+"; client_max_window_bits=7", deflateName),
		accepts("7692-5", "fallback-after-a-repeated-parameter", deflateName,
			deflateName+"; client_max_window_bits; client_max_window_bits, "+deflateName),
		accepts("7692-5", "second-fallback", deflateName+"; server_no_context_takeover",
			deflateName+"; x_a", deflateName+"; x_b, "+deflateName+"; server_no_context_takeover"),
	}
	for bits := 8; bits <= 15; bits++ {
		server := fmt.Sprintf("%s; server_max_window_bits=%d", deflateName, bits)
		client := fmt.Sprintf("%s; client_max_window_bits=%d", deflateName, bits)
		both := fmt.Sprintf("%s; server_max_window_bits=%d; client_max_window_bits=%d", deflateName, bits, bits)
		all = append(all,
			mayAccept("7692-7.1.2.1", fmt.Sprintf("server_max_window_bits-%d", bits), server, server),
			accepts("7692-7.1.2.2", fmt.Sprintf("client_max_window_bits-%d", bits), client, client),
			mayAccept("7692-7.1.2", fmt.Sprintf("both-windows-of-%d", bits), both, both),
		)
	}
	all = append(all, mayAccept("7692-7.1.2.1", "server_max_window_bits-10-or-anything", "", deflateName+"; server_max_window_bits=10, "+deflateName))
	return append(all, badOfferCases()...)
}

// badOfferCases are offers that no server may accept, and fields that break the grammar.
func badOfferCases() (all []Case) {
	for name, params := range map[string]string{
		"unknown-parameter": "x_unknown", "unknown-parameter-with-a-value": "x_unknown=1", "misspelt-parameter": "server_no_context_takeovers",
		"server_no_context_takeover-with-a-value": "server_no_context_takeover=1",
		"client_no_context_takeover-with-a-value": "client_no_context_takeover=true", "server_max_window_bits-without-a-value": "server_max_window_bits",
		"server_no_context_takeover-twice": "server_no_context_takeover; server_no_context_takeover",
		"client_no_context_takeover-twice": "client_no_context_takeover; client_no_context_takeover",
		"client_max_window_bits-twice":     "client_max_window_bits=10; client_max_window_bits=10",
		"server_max_window_bits-twice":     "server_max_window_bits=10; server_max_window_bits=12",
		"good-and-unknown":                 "client_max_window_bits; x_unknown", "unknown-and-good": "x_unknown; server_no_context_takeover",
	} {
		all = append(all, declines("7692-7.1", name, deflateName+"; "+params))
	}
	for _, side := range []string{"server", "client"} {
		for name, value := range map[string]string{
			"0": "0", "7": "7", "16": "16", "08": "08", "015": "015", "100": "100", "minus-8": "-8", "plus-8": "+8", "in-letters": "ten",
			"with-a-fraction": "10.0", "in-hexadecimal": "0xa", "7-in-quotes": `"7"`, "huge": "18446744073709551624",
		} {
			all = append(all, declines("7692-7.1.2", side+"_max_window_bits-"+name, deflateName+"; "+side+"_max_window_bits="+value))
		}
	}
	return append(all, malformedOffers()...)
}

// malformedOffers break the grammar of RFC 6455, section 9.1: the handshake has to fail.
func malformedOffers() (all []Case) {
	for name, value := range map[string]string{
		"two-semicolons": deflateName + ";; client_max_window_bits", "nothing-after-a-semicolon": deflateName + ";",
		"no-name": "; client_max_window_bits", "name-in-quotes": `"` + deflateName + `"`, "open-quotes": deflateName + `; server_max_window_bits="10`,
		"two-words": deflateName + " client_max_window_bits", "value-without-a-name": deflateName + "; =10",
		"value-of-the-extension": deflateName + "=1", "slash": deflateName + "/1",
	} {
		all = append(all, rejected("9.1", "extensions-with-"+name, refusal, set(extensions, value)))
	}
	return all
}

// accepts is a case whose offer the server has to accept.
func accepts(section, name, offer string, lines ...string) Case {
	return offered(section, name, offer, true, lines)
}

// mayAccept is a case whose offer the server may decline, because not every library has windows of every size.
func mayAccept(section, name, offer string, lines ...string) Case {
	return offered(section, name, offer, false, lines)
}

// offered is a case in which lines are sent, of which the server may accept offer alone; "" is any of them.
func offered(section, name, offer string, must bool, lines []string) Case {
	return Case{Section: section, Name: name, run: func(s *Server) error {
		c, resp, err := open(s, set(extensions, lines...))
		if err != nil {
			return err
		}
		if offer == "" {
			offer = closest(resp.header, lines)
		}
		a, ok, err := agreed(resp.header, offer)
		if err == nil && must && !ok {
			err = fmt.Errorf("the server declined %q", lines)
		}
		if err != nil {
			_ = c.nc.Close()
			return err
		}
		return c.conclude(func(c *conn) { c.tryOut(a, ok) })
	}}
}

// closest returns the offer that the answer can be for.
func closest(header http.Header, lines []string) string {
	for _, o := range listed(lines) {
		if _, ok, err := agreed(header, o); ok && err == nil {
			return o
		}
	}
	return deflateName
}

// tryOut exchanges messages as was agreed.
func (c *conn) tryOut(a agreement, compressed bool) {
	if !compressed {
		c.answers()
		return
	}
	d := c.agree(a)
	if c.server.NoEcho {
		c.answers()
		return
	}
	for i := range 3 {
		s := strings.Repeat(fmt.Sprintf("message %d of those that resemble each other; ", i), 20)
		s = c.server.cut(s)
		c.send(raw(fin|rsv1|opText, d.deflate([]byte(s))))
		c.wantText(s)
	}
	far := letters(1<<a.serverBits + 50) // a server that forgets its window refers as far back as this is long
	far = c.server.cut(far + far)
	c.send(text(far))
	c.wantText(far)
	c.echoes("not compressed")
}

// letters returns n bytes of text that hold no long repetition.
func letters(n int) string {
	r := rand.New(rand.NewPCG(2, uint64(n)))
	b := make([]byte, n)
	for i := range b {
		b[i] = 'a' + byte(r.IntN(26))
	}
	return string(b)
}

// agree has the connection read compressed messages, and returns what makes them.
func (c *conn) agree(a agreement) *deflater {
	c.deflate = &inflater{takeover: !a.serverNoTakeover, bits: a.serverBits}
	return a.newDeflater()
}

// declines is a case whose offer the server must not accept. The connection goes on without, or is refused.
func declines(section, name string, lines ...string) Case {
	return Case{Section: section, Name: name, run: func(s *Server) error {
		c, resp, err := open(s, set(extensions, lines...))
		if resp != nil && resp.code != http.StatusSwitchingProtocols {
			return refusal(resp)
		}
		if err != nil {
			return err
		}
		if got := resp.header.Values(extensions); len(got) > 0 {
			_ = c.nc.Close()
			return fmt.Errorf("the server answered %q to %q, which it has to decline", got, lines)
		}
		return c.conclude(func(c *conn) {
			c.send(raw(fin|rsv1|opText, []byte("\xf2\x48\xcd\xc9\xc9\x07\x00")))
			c.wantClose(1002)
		})
	}}
}

// withoutCases are for a server that does not compress.
func withoutCases() []Case {
	all := malformedOffers()
	for name, line := range map[string]string{
		"plain": deflateName, "as-browsers-offer": deflateName + "; client_max_window_bits",
		"with-everything":   deflateName + "; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=10",
		"unknown-parameter": deflateName + "; x_unknown", "several": deflateName + "; server_max_window_bits=10, " + deflateName,
		"with-another-extension": "x-conformance, " + deflateName, "of-the-old-name": "x-webkit-deflate-frame",
	} {
		all = append(all, declines("7692-5", "declines-"+name, line), exchangeAfter("7692-5", "goes-on-without-"+name, set(extensions, line), func(c *conn) {
			c.echoes("not compressed")
			c.answers()
		}).echo())
	}
	return all
}

var errDeclined = errors.New("the server declined " + deflateName + ", although it is said to compress")
