package main

const deflate = "./internal/deflate"

var deflateGuards = []guard{
	{"deflate: only where it was agreed", "internal/wire/frame.go", `return deflate && h.compressed &&`, `return h.compressed &&`, wire, "^TestCompressedRefused"},
	{"deflate: no reserved bit on others", "internal/wire/frame.go", `h.compressed && (h.op == OpText || h.op == OpBinary)`, `h.compressed`, wire, "^TestCompressedRefused"},
	{"deflate: the first bit alone", "internal/wire/frame.go", `b[0]&rsvBits == compressed`, `b[0]&compressed != 0`, wire, "^TestCompressedRefused"},
	{"deflate: what a message holds is limited", "internal/wire/inflate.go", `case int64(i.gathered.len()+len(p)) > i.max:`, `case false:`, wire, "^TestCompressedRefused"},
	{"deflate: what a message takes is limited", "internal/wire/parser.go", `return 2*min(p.rules.maxMessage, math.MaxInt64/4) + 1024`, `return math.MaxInt64`, wire, "^TestCompressedRefused"},
	{"deflate: text is UTF-8", "internal/wire/inflate.go", `!i.partial.text.write(p):`, `!i.partial.text.write(p) && false:`, wire, "^TestCompressedRefused"},
	{"deflate: corrupt messages", "internal/wire/inflate.go", `case err != nil:`, `case err != nil && false:`, wire, "^TestCompressedRefused"},
	{"deflate: final blocks are limited", "internal/deflate/inflate.go", `for range MaxFinal {`, `for {`, deflate, "^TestCorrupt"},
	{"deflate: no dictionary above level 6", "internal/deflate/compress.go", `level > lowerLevel && bits`, `false && bits`, deflate, "^TestTakeoverAtHighLevels"},
	{"deflate: others have their turn", "internal/wire/events.go", `e.engine.takeTurn()`, `_ = done`, wire, "^TestInflatingTakesTurns"},
	{"deflate: a bound without a limit", "internal/wire/inflate.go", `maxMessage = mostInflated`, `maxMessage = 1 << 60`, wire, "^TestCompressedWithoutALimit"},
	{"deflate: no overflow of a large limit", "internal/wire/parser.go", `2*min(p.rules.maxMessage, math.MaxInt64/4) + 1024`, `2*p.rules.maxMessage + 1024`, wire, "^TestCompressedWithoutALimit"},
	{"deflate: no context without takeover", "internal/deflate/inflate.go", `if s.ClientTakeover {`, `if true {`, deflate, "^TestNoTakeover"},
	{"deflate: no reference without takeover", "internal/deflate/inflate.go", `if s.ServerTakeover {`, `if true {`, deflate, "^TestRoundTrip"},
	{"deflate: the window's size", "internal/deflate/compress.go", `flate.NewWriterWindow(d, 1<<bits)`, `flate.NewWriter(d, level)`, deflate, "^TestWindow"},
	{"deflate: the window slides", "internal/deflate/window.go", `if over := len(w.data) + len(p) - w.size; over > 0 {`, `if over := 0; over > 0 {`, deflate, "^TestAWindowKeeps"},
	{"deflate: nothing shared with takeover", "internal/wire/packed.go", `s != nil && !s.ServerTakeover && s.ServerBits`, `s != nil && s.ServerBits`, wire, "^TestSharedRounds"},
	{"deflate: nothing shared with a smaller window", "internal/wire/packed.go", ` && s.ServerBits >= c.engine.Compression.Bits`, ``, wire, "^TestPackForNobody"},
	{"deflate: nothing shared with others", "internal/wire/round.go", `if packed && len(r.packed.starts) > 0 {`, `if len(r.packed.starts) > 0 {`, "./hub", "^TestCompressedBroadcasts"},
	{"deflate: compressed when its turn comes", "internal/wire/conn.go", `case c.parser.deflate.ServerTakeover: // what`, `case false: // what`, wire, "^TestTakeoverFromMany"},
	{"deflate: unknown parameters decline", "internal/deflate/params.go", `	default:
		return false
	}`, `	default:
		return true
	}`, deflate, "^TestNegotiate"},
	{"deflate: repeated parameters decline", "internal/deflate/params.go", `repeated(e.params[:i], p.name) || `, `repeated(e.params[:0*i], p.name) || `, deflate, "^TestNegotiate"},
	{"deflate: window bits are checked", "internal/deflate/params.go", ` && n >= MinBits && n <= MaxBits && strconv.Itoa(n) == s`, ``, deflate, "^TestNegotiate"},
	{"deflate: malformed offers fail the handshake", "middleware.go", `return refuse(fiber.StatusBadRequest, "invalid Sec-WebSocket-Extensions", err.Error())`, `return nil`, ".", "Extension"},
	{"deflate: off by default", "hub/compression.go", `if !c.Enabled {`, `if false {`, "./hub", "^TestExtensions"},
}

var memoryGuards = []guard{
	{"memory: short rounds that wait are copied", "internal/wire/load.go", `waits && (len(data) < shareFrom || r.held() > 4*len(data))`, `waits && false`, wire, "^TestAShortRound"},
	{"memory: deliveries count with their lists", "hub/shard.go", `return deliveryCost + receiverCost*len(d.list)`, `return 0`, "./hub", "^TestALogCounts"},
	{"close: a hold does not wait for the handshake", "internal/wire/read.go", `		c.parkLocked() // nothing is handled any more
`, ``, wire, "^TestHoldDoesNotWait"},
	{"batch: nothing is lost by a callback that exits", "hub/dispatch.go", `	(*events)(c).Pause() // f may end the goroutine
`, ``, "./hub", "^TestGoexitBehind"},
	{"slow: a steady reader is not cut", "internal/wire/detached_write_linux.go", steadyReader, `	return t.await(c, p, deadline)
}
`, ".", "^TestASteadyReader"},
	{"misuse: a message has a type", "internal/wire/conn.go", `case t != ws.Text && t != ws.Binary:`, `case false:`, "./hub", "^TestMessageType"},
	{"misuse: nobody is left out", "hub/target.go", `		if c != nil {
			t.except`, `		if true {
			t.except`, "./hub", "^TestExceptNobody"},
}

var requestGuards = []guard{
	{"handshake: no ambiguous body", "handshake.go", `h.lengths+h.codings > 1`, `h.lengths+h.codings < 0`, ".", "^TestHandshakeTable|^TestMalformedHandshakes"},
	{"handshake: no subprotocol twice", "handshake.go", `h.badProtocols || repeats(h.protocols)`, `h.badProtocols`, ".", "^TestHandshakeTable|^TestMalformedHandshakes"},
	{"handshake: a port is a number", "host.go", `isIPv6(p[1:end]) && isPort(p[end+1:])`, `isIPv6(p[1:end])`, ".", "^TestHandshakeTable|^TestMalformedHandshakes"},
	{"handshake: a request target", "target.go", `r <= ' ' || r == 0x7f || r == '#'`, `r < 0`, ".", "^TestRequestTargets"},
	{"token: only ASCII space around a cookie", "token.go", `strings.Trim(pair, " \t")`, `strings.TrimSpace(pair)`, ".", "^TestPlacesOfAToken"},
	{"log: no request in a parse error", "listen.go", `	s.SecureErrorLogMessage = true // the`, `	// the`, ".", "^TestTheAppsTimeoutsStay"},
}

const steadyReader = `	for soon := firstLook; ; soon *= 2 {
		until := time.Now().Add(spread(soon))
		last := !deadline.IsZero() && !until.Before(deadline)
		if last {
			until = deadline
		}
		n, err := t.await(c, p, until) // begins with a look
		switch {
		case n > 0 || !isTimeout(err):
			return n, err
		case last:
			if n, failed := t.send(p); n > 0 || failed != nil {
				return n, failed
			}
			return 0, err
		}
	}
}
`
