package main

const wire = "./internal/wire"

var frameGuards = []guard{
	{"frame: reserved bits", "internal/wire/frame.go", `case b[0]&rsvBits != 0 && !h`, `case false && !h`, wire, "^TestConformance"},
	{"frame: reserved opcodes", "internal/wire/frame.go", `case !h.op.known():`, `case false:`, wire, "^TestConformance"},
	{"frame: masked", "internal/wire/frame.go", `case masked != (b[1]&maskBit != 0):`, `case false:`, wire, "^TestConformance"},
	{"frame: masked, on the fast path", "internal/wire/frame.go", ` || b[1]&maskBit == 0 {`, ` {`, ".", "^TestUnmaskedAmong"},
	{"frame: control frames are whole", "internal/wire/frame.go", `case h.op.control() && !h.fin:`, `case false:`, wire, "^TestConformance"},
	{"frame: control frames are short", "internal/wire/frame.go", `case h.op.control() && h.length > MaxControl:`, `case false:`, wire, "^TestConformance"},
	{"frame: 16-bit length is minimal", "internal/wire/frame.go", `if h.length < 126 {`, `if false {`, wire, "^TestConformance|^TestPieces"},
	{"frame: 16-bit length is minimal, on the fast path", "internal/wire/frame.go", `maskBit|126 || n < 126 {`, `maskBit|126 {`, wire, "^TestConformance"},
	{"frame: 64-bit length is minimal", "internal/wire/frame.go", `if n < 1<<16 {`, `if false {`, wire, "^TestConformance"},
	{"frame: 64-bit length has 63 bits", "internal/wire/frame.go", `if n>>63 != 0 {`, `if false {`, wire, "^TestConformance"},
	{"frame: 63 bits by the first byte", "internal/wire/frame.go", `if h.length == 127 && len(b) > 2 && b[2]&0x80 != 0 {`, `if false {`, wire, "^TestConformance|^TestPieces"},
	{"close frame: no payload of one byte", "internal/wire/close.go", `if len(p) == 1 {`, `if false {`, wire, "^TestConformance"},
	{"close frame: a status that may be sent", "internal/wire/close.go", `return ws.CloseError{}, protocolError("invalid close status")`, `_ = status`, wire, "^TestConformance"},
	{"close frame: a reason in UTF-8", "internal/wire/close.go", `if !utf8.Valid(p[2:]) {`, `if !utf8.Valid(nil) {`, wire, "^TestConformance"},
	{"close frame: no status that may not be sent", "internal/wire/close.go", `e = ws.CloseError{Status: ws.StatusInternalError}`, `_ = e`, wire, "^TestCloseRefuses"},
	{"close frame: the reason is cut", "internal/wire/close.go", `ws.CutReason(reason)`, `reason`, wire, "^TestCloseCuts"},
	{"close error: the peer's reason is quoted", "ws/close.go", `strconv.Quote(e.Reason)`, `e.Reason + strconv.Quote("")`, "./ws", "^TestCloseErrorQuotes"},
}

var parserGuards = []guard{
	{"limit: a message in one frame", "internal/wire/parser.go", `if p.rules.maxMessage > 0 && int64(len(payload)) > p.rules.maxMessage {`, `if false {`, "./hub", "^TestSizeLimits"},
	{"limit: a frame, by its header", "internal/wire/parser.go", `h.length > most-int64(m.gathered.len()) {`,
		`int64(m.gathered.len()) > most {`, wire, "^TestConformance|^TestPieces|Limit"},
	{"limit: a message of fragments", "internal/wire/parser.go", `h.length > most-int64(m.gathered.len()) {`,
		`h.length > most {`, wire, "^TestConformance|^TestPieces|Limit"},
	{"limit: fragments", "internal/wire/parser.go", `p.rules.maxFragments > 0 && m.fragments > p.rules.maxFragments {`, `false {`, wire, "^TestFragmentsAreLimited"},
	{"limit: the age of a message", "internal/wire/parser.go", `if p.late() && !p.sink.discarding() {`, `if false {`, wire, "^TestMessageAge"},
	{"limit: control frames that nobody read", "internal/wire/events.go", `r.missed = min(r.missed+deaf, mostMissed)`, `_ = mostMissed`, wire, "^TestControlFramesThat"},
	{"limit: for a minute at most", "internal/wire/events.go", `r.missed = min(r.missed+deaf, mostMissed)`, `r.missed += deaf`, wire, "^TestControlFramesThat"},
	{"limit: and no more than came in that time", "internal/wire/events.go", `r.missed -= each`, `_ = each`, wire, "^TestControlFramesThat"},
	{"limit: nor when they had to wait for nobody", "internal/wire/events.go", `if waited >= caughtUp {`, `if waited < 0 {`, wire, "^TestControlFramesThat"},
	{"outbox: what is lost is not flushed", "internal/wire/outbox.go", `return !o.broken && !o.lost`, `return !o.broken`, wire, "^TestFlushOfWhat"},
	{"budget: a round that grows", "internal/wire/round.go", `if held > r.counted {`, `if r.counted == 0 {`, wire, "^TestARoundThatGrows"},
	{"limit: control frames", "internal/wire/events.go", `case !c.rate.allow(c.readAt, c.engine.ControlRate):`, `case false:`, wire, "^TestControlRate"},
	{"fragments: none without a start", "internal/wire/parser.go", `case h.op == OpContinuation && !m.inMessage:`, `case false:`, wire, "^TestConformance"},
	{"fragments: no message within another", "internal/wire/parser.go", `case h.op != OpContinuation && m.inMessage:`, `case false:`, wire, "^TestConformance"},
	{"UTF-8: a message in one frame", "internal/wire/parser.go", `if op == OpText && !utf8.Valid(payload) {`, `if op == OpText && !utf8.Valid(nil) {`, wire, "^TestConformance"},
	{"UTF-8: at the first bad byte", "internal/wire/parser.go", `!m.text.write(piece) {`, `!m.text.write(piece) && false {`, wire, "^TestTextIsRefused"},
	{"UTF-8: no character cut at the end", "internal/wire/parser.go", `if m.op == OpText && !m.text.complete() {`, `if m.op == OpText && !m.text.complete() && false {`, wire, "^TestConformance|^TestTextIsRefused"},
	{"UTF-8: a character over two pieces", "internal/wire/utf8.go", `r == utf8.RuneError && size == 1 {`, `r == utf8.RuneError && size == 0 {`, wire, "^TestConformance|^TestTextIsRefused"},
	{"UTF-8: in what is sent", "internal/wire/conn.go", `t == ws.Text && !utf8.Valid(payload)`, `t == ws.Text && !utf8.Valid(nil)`, wire, "^TestSendRefuses"},
	{"UTF-8: in what is broadcast", "hub/target.go", `m.Data); err != nil {`, `m.Data); err != nil && false {`, "./hub", "^TestSendRefuses"},
}

var outboxGuards = []guard{
	{"outbox: a socket that takes nothing has one message in hand", "internal/wire/load.go", `	if l.conn.socket.ready() {`, `	if true {`, wire, "^TestOneMessage"},
	{"outbox: messages", "internal/wire/outbox.go", `return most > 0 && o.load.messages >= most ||`, `return most < 0 ||`, wire, "^TestSilentPeer|^TestSlowConsumer|^TestSenderThatWaits"},
	{"outbox: bytes", "internal/wire/outbox.go", `|| mostBytes > 0 && o.load.bytes+size > mostBytes`, `|| mostBytes < 0`, wire, "^TestSilentPeer|^TestSlowConsumer|^TestRounds|^TestPatience"},
	{"outbox: rounds, four times", "internal/wire/outbox.go", `bytes <= lenience*most &&`, `bytes > 0 &&`, wire, "^TestRounds|^TestSilentPeer|^TestPatience"},
	{"outbox: rounds, for a second", "internal/wire/outbox.go", `o.load.stuck() < roundPatience`, `o.load.stuck() < time.Hour`, wire, "^TestRounds|^TestSilentPeer|^TestPatience"},
	{"outbox: control frames", "internal/wire/outbox.go", "len(l.control) > maxControlLane {\n\t\treturn false, nil", "false {\n\t\treturn false, nil", wire, "^TestPingsHave|^TestUnreadPongs"},
	{"outbox: nothing behind the close frame", "internal/wire/outbox.go", "if o.sealed || o.broken {\n\t\treturn ErrClosed", "if o.broken {\n\t\treturn ErrClosed", wire, "^TestNothingAfterClose|^TestSenderThatWaits|^TestCloseFrom"},
	{"outbox: no ping behind the close frame", "internal/wire/outbox.go", "if o.sealed || o.broken {\n\t\treturn false, ErrClosed", "if o.broken {\n\t\treturn false, ErrClosed", wire, "^TestNothingAfterClose"},
	{"outbox: no round behind the close frame", "internal/wire/outbox.go", `case o.sealed || o.broken:`, `case o.broken:`, wire, "^TestNothingAfterClose|^TestRounds"},
	{"outbox: the write deadline", "internal/wire/write.go", `deadline = time.Now().Add(c.engine.WriteDeadline)`, `deadline = time.Time{}`, wire, "^TestWriteDeadline|^TestSilentPeer"},
	{"outbox, acks: what waits for company has its turn", "internal/later/later.go", "q.due = append(q.due, v)\n\tq.armLocked()", "q.due = append(q.due, v)", "./internal/later", "^TestOneTurnForAll"},
	{"outbox: a pong waits with its reader", "internal/wire/events.go", "ok, err := c.out.pushControl(OpPong, payload)\n\t\tif ok || err != nil {", "_, err := c.out.pushControl(OpPong, payload)\n\t\tif true || err != nil {", wire, "^TestUnreadPongs"},
}

var socketGuards = []guard{
	{"close: bounded when the peer is silent", "internal/wire/close.go", `c.timer = time.AfterFunc(d, c.Abort)`, `_ = c.timer`, wire, "^TestCloseTimeout|^TestCloseWithin"},
	{"close: reads on behind a violation", "internal/wire/read.go", "c.close(violation, c.engine.CloseTimeout, false)\n\t\tc.discard(c.engine.CloseTimeout, false)", "c.close(violation, c.engine.CloseTimeout, false)", wire, "^TestViolation"},
	{"close: so it does where there are no halves", "internal/wire/read.go", `left > 0 && !wait(hungUp, left);`, `left < 0;`, wire, "^TestViolationOverAPipe"},
	{"close: but one that goes on writing", "internal/wire/read.go", `, out+lingering-now)`, `, out+time.Hour)`, wire, "^TestViolationOverAPipe"},
	{"close: a late reader as long", "internal/wire/read.go", `out := time.Since(begun)`, `out := 0 * time.Since(begun)`, wire, "^TestViolationOfALateReader"},
	{"close: until it is silent", "internal/wire/read.go", `silence-now+time.Duration(heard.Load())`, `silence-now`, wire, "^TestViolationOverAPipe"},
	{"close: at once in order", "internal/wire/read.go", `case !inOrder:`, `case true:`, wire, "^TestViolationOverAPipe"},
	{"close: little that is thrown away wakes nobody", "internal/wire/detached_linux.go", `SO_RCVLOWAT, len(p))`, `SO_RCVLOWAT, 1)`, wire, "^TestLittleThatIsThrownAway"},
	{"Goexit: ends its connection", "internal/wire/read.go", `c.close(ws.CloseError{Status: ws.StatusInternalError}, c.engine.CloseTimeout, false)`, `_ = ws.StatusInternalError`, wire, "^TestGoexit"},
	{"held: what comes is kept until the close", "internal/wire/read.go", `if held && heard {`, `if held && heard && false {`, wire, "^TestHold|^TestHeld"},
	{"socket: nothing is written once it is released", "internal/wire/outbox.go", "if o.sealed || o.broken {\n\t\treturn ErrClosed", "if o.sealed {\n\t\treturn ErrClosed", wire, "^TestAbort|^TestNothingAfterClose|^TestPeerResets|^TestPeerHangs"},
	{"socket: no shutdown of one that is released", "internal/wire/detached_linux.go", `return !t.released && syscall.Shutdown(`, `return syscall.Shutdown(`, wire, "^TestAReleased"},
	{"socket: the lot tells of the end behind a message", "internal/wire/detached_linux.go", `t.alone = !mayNap || !c.engine.lot.guard(c)`, `t.alone = !mayNap`, wire, "^TestEndBehindAMessage"},
	{"socket: read to the end where nobody tells of it", "internal/wire/detached_linux.go", "case !t.alone:", "default:", wire, "^TestEndInOneSegment"},
	{"socket: what was read with the handshake", "internal/wire/detach_linux.go", `early = readAhead(nc)`, `_ = readAhead`, ".", "^TestFramesInTheHandshakes"},
	{"socket: no wake of one that has gone", "internal/wire/detached_linux.go", `c.engine.lot.leave(c)`, `_ = c`, wire, "^TestDescriptors|^TestIdle|^TestRest"},
}

// budgetGuards keep what all connections hold together within bounds.
var budgetGuards = []guard{
	{"budget: outboxes", "hub/config.go", `OutboxBudget:   c.OutboxBudget,`, `OutboxBudget:   0,`, ".", "^TestTheOutboxBudget"},
	{"budget: messages that are not whole", "hub/config.go", `PartialBudget:  c.PartialBudget,`, `PartialBudget:  0,`, ".", "^TestThePartialBudget"},
	{"budget: of rounds too", "internal/wire/outbox.go", `		return errStrained
`, `		return nil
`, wire, "^TestRoundsKeep"},
	{"budget: nobody goes without a processor", "internal/wire/outbox.go", ` && !c.socket.takes() {`, ` {`, wire, "^TestRoundsKeep"},
	{"budget: nor for what others hold", "internal/wire/budget.go", `much > most &&`, `much != 0 &&`, wire, "^TestRoundsKeep"},
	{"budget: nor for what is shared", "internal/wire/budget.go", `much := b.used.Load() - min(b.little.Load(), most) - b.leaving`, `much := b.held`, wire, "^TestRoundsKeep"},
	{"budget: nor for who goes", "internal/wire/budget.go", ` - b.leaving`, ` - 0*b.leaving`, wire, "^TestRoundsKeep|^TestBudgetCounts"},
	{"budget: nor for what rounds keep", "internal/wire/budget.go", ` && b.held > most &&`, ` &&`, wire, "^TestRoundsKeep"},
	{"budget: what others share spares nobody for ever", "internal/wire/budget.go", `min(b.little.Load(), most)`, `b.little.Load()`, wire, "^TestRoundsKeep"},
	{"budget: nor with less than others", "internal/wire/budget.go", `int64(h.bytes)*int64(b.staying) >= b.held`, `true`, wire, "^TestRoundsKeep"},
	{"budget: nor at once", "internal/wire/budget.go", `time.Since(h.from) >= strainPatience`, `true`, wire, "^TestRoundsKeep"},
	{"budget: who goes holds nothing", "internal/wire/conn.go", `c.engine.outboxes.exhausted() {
			c.Abort()`, `false {
			c.Abort()`, wire, "^TestRoundsKeep"},
	{"budget: what waits is counted", "internal/wire/held.go", `b.add(k.size())`, `b.add(0)`, wire, "^TestOutboxBudget|^TestExhausted"},
	{"budget: rounds are counted", "internal/wire/round.go", `b.add(held - r.counted)`, `b.add(0)`, wire, "^TestSharedRounds"},
	{"budget: rounds are counted once", "internal/wire/round.go", `r.waiting++; r.waiting == 1 {`, `r.waiting++; true {`, wire, "^TestSharedRounds"},
	{"budget: the worst go first", "internal/wire/candidate.go", `all[i].worth > all[j].worth`, `all[i].worth < all[j].worth`, wire, "^TestOutboxBudget|^TestPartialBudget|^TestATurnIsNoMove"},
	{"budget: no more than needed", "internal/wire/budget.go", `over -= k.bytes`, `over -= min(0, k.bytes)`, wire, "^TestOutboxBudget|^TestPartialBudget"},
	{"budget: who moves is spared", "internal/wire/held.go", `since := l.progress`, `since := l.conn.engine.start`, wire, "^TestOutboxBudgetSpares"},
	{"budget: what becomes whole in time is spared", "internal/wire/candidate.go", `still >= allowed &&`, `still >= min(0, allowed) &&`, wire, "Spares"},
	{"budget: who is closed does not hold on", "internal/wire/budget.go", `errors.Is(err, ErrClosed) || b.exhausted() {`, `errors.Is(err, ErrClosed) && b.exhausted() {`, wire, "^TestOutboxBudget|^TestPartialBudget"},
	{"slow: a sender that has waited is not held on", "internal/wire/slow.go", `case seen >= patience || stuck >= proven:`, `case stuck >= proven:`, wire, "^TestSenderThatComesLate|^TestSilentPeer"},
	{"slow: a stall of a second needs no wait", "internal/wire/slow.go", `case seen >= patience || stuck >= proven:`, `case seen >= patience:`, wire, "^TestSenderThatComesLate"},
	{"slow: a writer without a processor is no refusal", "internal/wire/slow.go", `if !c.starves(stuck) && `, `if `, wire, "^TestAWriterWithoutAProcessor"},
	{"budget: a writer without a processor is no refusal", "internal/wire/engine.go", `spares: (*Conn).starves, `, ``, wire, "^TestAWriterWithoutAProcessor"},
	{"slow: nor for a round", "internal/wire/outbox.go", `|| o.conn.starves(o.load.stuck())`, `|| false`, wire, "^TestAWriterWithoutAProcessor"},
	{"slow: nor is it believed for ever", "internal/wire/slow.go", `stuck < mostStarved && c.socket.takes()`, `c.socket.takes()`, wire, "^TestAWriterThatNeverGets"},
	{"budget: who lets others go first has not moved", "internal/wire/held.go", `l.weight, l.latest, since)`, `l.weight, l.progress, since)`, wire, "^TestBudgetSparesWhoTakes"},
	{"budget: who takes something has", "internal/wire/load.go", `	l.latest = time.Now()
	l.progress = l.latest`, `	l.progress = time.Now()`, wire, "^TestBudgetSparesWhoTakes"},
	{"budget: long queues count", "internal/wire/held.go", `places := placesFor(l.chunks(), l.array)`, `places := 0`, wire, "^TestLongQueuesCount"},
	{"budget: terms count, too", "internal/wire/held.go", `termsSize*max(0, chunks-few)`, `0*termsSize`, wire, "^TestTheArrayOfAQueue"},
	{"budget: an array that has places to spare counts", "internal/wire/held.go", `placeSize*max(0, array-many)`, `0*placeSize`, wire, "^TestTheArrayOfAQueue"},
	{"budget: what a queue has left behind counts", "internal/wire/load.go", `		l.array = cap(l.queue)
		return`, `		return`, wire, "^TestTheArrayOfAQueue"},
	{"budget: a queue that was emptied is short", "internal/wire/loose.go", `	l.fit()
	l.reindex()`, `	l.reindex()`, wire, "^TestAQueueShrinks"},
	{"budget: one that was sent is short", "internal/wire/loose.go", `	l.fit()
	if k.data == nil {`, `	if k.data == nil {`, wire, "^TestAQueueThatWasSent"},
	{"budget: an empty queue counts for nothing", "internal/wire/load.go", `case n == 0 && l.array > many:`, `case false:`, wire, "^TestAnEmptyQueue"},
	{"budget: nothing stays where a queue has been", "internal/wire/load.go", `	clear(l.first[n:])
`, ``, wire, "^TestAQueueKeepsNothing"},
	{"budget: a shorter array comes before a loss", "internal/wire/admit.go", `o.load.least() > smallShare`, `o.load.weight > smallShare`, wire, "^TestAShorterArray"},
	{"budget: nobody loses messages for places that are free", "internal/wire/outbox.go", `o.load.least()+size > smallShare`, `o.load.weight+size > smallShare`, wire, "^TestFreePlaces"},
	{"budget: an array is shortened when it strains", "internal/wire/admit.go", `		defer o.load.tighten()
`, ``, wire, "^TestAShorterArray"},
	{"budget: a round that is parted is not in its own way", "internal/wire/admit.go", `			l.discount(k)
`, ``, wire, "^TestStrainedRound"},
	{"budget: what it is parted into counts", "internal/wire/admit.go", `			o.load.count(o.load.tail())
`, ``, wire, "^TestPartsOfARound"},
	{"policy: a round is parted before anything is dropped", "internal/wire/admit.go", `	o.loosenLocked() // which may be room enough
	for o.fullLocked`, `	for o.fullLocked`, wire, "^TestRoomByParting"},
	{"policy: and before a round is refused", "internal/wire/admit.go", `	o.loosenLocked() // which may be room enough
	for {`, `	for {`, wire, "^TestRoomForARoundByParting"},
	{"policy: a key has one message, in a round that has not begun to go out too", "internal/wire/outbox.go",
		`l.loose.marked > 0 && !l.writing && m.Policy`, `false && m.Policy`, wire, "^TestOneMessageOfAKey"},
	{"policy: what is parted makes no more room than a round", "internal/wire/admit.go", `o.admitSharedLocked(n, m) == errDropped`,
		`o.admitLocked(n, m) == errDropped`, wire, "^TestPartedMessagesMake"},
	{"outbox: what is put back leaves no gaps behind it", "internal/wire/load.go", `		l.hand = piece
		l.pack()`, `		l.hand = piece
		l.reindex()`, wire, "^TestPutBackClosesTheGaps"},
	{"outbox: a queue that changes stays where it is", "internal/wire/load.go", `l.array > 8*n`, `l.array > 2*n`, wire, "^TestAConflatingQueueStays"},
	{"outbox: a short one, too", "internal/wire/load.go", `l.array > 2*many &&`, `l.array > few &&`, wire, "^TestAConflatingQueueStays"},
	{"outbox: a queue gets room for many at once", "internal/wire/load.go", `l.house(l.queue, many)`, `l.house(l.queue, len(l.queue)+1)`, wire, "^TestAGrowingQueueAllocates"},
	{"outbox: one that slides gets more than it needs", "internal/wire/load.go", `case n < many/2:`, `case n < many:`, wire, "^TestASlidingQueueSeldom"},
	{"budget: who has moved meanwhile is spared", "internal/wire/budget.go", `!h.moved.Equal(k.moved)`, `false && h.moved.Equal(k.moved)`, wire, "^TestATurnIsNoMove"},
	{"budget: a turn is no move", "internal/wire/budget.go", `!h.moved.Equal(k.moved)`, `!h.since.Equal(k.since)`, wire, "^TestATurnIsNoMove"},
	{"budget: who is spared hides nobody", "internal/wire/budget.go", "b.relieveOf(k) {", "b.relieveOf(k) || true {", wire, "^TestWhoIsSparedHidesNobody"},
	{"slow: TLS can be asked", "internal/wire/transport.go", "ready, _ := isReady(t.socket())", "ready := false", wire, "^TestASocketSays"},
	{"slow: nor one that was given back", "internal/wire/transport.go", `if t.released {`, `if false {`, wire, "^TestAnEndedSocket"},
	{"slow: a released socket is not asked", "internal/wire/detached_linux.go", `return ready && !t.released`, `return ready`, wire, "^TestASocketSays"},
	{"slow: a socket can be asked", "internal/wire/detached_linux.go", `return ready && !t.released`, `return false && ready`, wire, "^TestASocketSays"},
	{"slow: who acknowledges reads", "internal/wire/detached_linux.go", `!t.released && t.acks.growing(`, `false && t.acks.growing(`, wire, "^TestWhoReadsIsNoRefusal"},
	{"slow: in place too", "internal/wire/transport.go", `!t.released && t.acks.growing(`, `false && t.acks.growing(`, wire, "^TestWhoReadsIsNoRefusal"},
	{"slow: who acknowledges is waited for", "internal/wire/slow.go", ` && !c.reads(stuck)`, ``, wire, "^TestWhoAcknowledges"},
	{"slow: not for ever", "internal/wire/slow.go", `stuck < mostStarved && c.socket.reads()`, `c.socket.reads()`, wire, "^TestWhoAcknowledges"},
	{"budget: a trickle spares nobody", "internal/wire/slow.go", `stuck < mostStarved && c.socket.takes()`, `stuck < mostStarved && (c.socket.takes() || c.socket.reads())`, wire, "^TestWhoAcknowledges"},
	{"slow: as long as it does", "internal/wire/acks.go", `now.Sub(a.grown) < patience`, `true`, wire, "^TestAcks"},
	{"slow: not who read long ago", "internal/wire/acks.go", `now.Sub(a.looked) >= proven`, `false`, wire, "^TestAcks|^TestWhoHasStopped"},
	{"slow: since somebody waits", "internal/wire/slow.go", `	c.socket.reads() //`, `	//`, wire, "^TestWhatWasTakenBefore"},
	{"slow: input is no room", "internal/wire/ready_linux.go", `const pollOut = 4`, `const pollOut = 5`, wire, "^TestInputIsNoRoom"},
	{"slow: who has starved may refuse as long as any other", "internal/wire/slow.go", `			seen = 0
`, ``, wire, "^TestWhoStarvedMayRefuse"},
	{"close: TLS holds no cut up", "internal/wire/transport.go", `		_ = half.CloseWrite()
`, `		_ = half
`, wire, "^TestCutsDoNotWaitForTLS"},
	{"close: not below what was given back", "internal/wire/transport.go", `if !ok || t.released {`, `if !ok {`, wire, "^TestAnEndedSocketIsNotAsked"},
	{"close: TLS says goodbye", "internal/wire/read.go", `c.socket.finishWriting() // TLS`, `_ = 0 // TLS`, wire, "^TestGoodbyeOfTLS"},
	{"close: not for ever without a close timeout", "internal/wire/read.go", ` && c.engine.CloseTimeout > 0 && !c`, ` && !c`, wire, "^TestWithoutACloseTimeout"},
	{"close: late readers get everything", "internal/wire/detached_linux.go", `!sentFD(t.fd).left`, `true`, wire, "^TestALateReader"},
	{"close: in place too", "internal/wire/transport.go", `!sent(t.socket()).left`, `true`, wire, "^TestALateReader"},
	{"close: crossing ones are no end", "internal/wire/close.go", `	c.close(e, c.engine.CloseTimeout, false)
	return errPeerClosed`, `	if c.close(e, c.engine.CloseTimeout, false) {
		return errPeerClosed
	}
	return errors.New("closed")`, wire, "^TestClosesThatCross"},
	{"slow: a steady reader holds nobody for ever", "internal/wire/slow.go", `case c.engine.WriteDeadline > 0 && time.Since(begun) >= c.engine.WriteDeadline:`, `case c.engine.WriteDeadline > 0 && begun.IsZero():`, wire, "^TestSteadyReader"},
	{"counts: a message written in part has no header", "internal/wire/chunk.go", `if n == 0 && k.torn > 0 {`, `if false {`, wire, "^TestEndInside"},
	{"counts: what the socket took is not dropped", "internal/wire/load.go", `dropped -= l.hand.whole(l.written)`, `_ = l`, wire, "^TestWhatWasTaken"},
	{"slow: what was seen before progress does not count", "internal/wire/slow.go", `seen = min(seen, stuck)`, `_ = seen`, wire, "^TestPatienceWithALongMessage"},
	{"budget: no patience when it is exhausted", "internal/wire/engine.go", `patience: patience, shed:`, `patience: strainPatience, shed:`, wire, "^TestExhausted"},
	{"budget: senders wait", "internal/wire/admit.go", `if !o.fullLocked(size) && !o.strainedLocked(size) {`, `if !o.fullLocked(size) {`, wire, "^TestStrainedSender"},
	{"budget: little waits in little memory", "internal/wire/held.go", `l.queue[i].shrink(0)`, `_ = l.queue[i]`, wire, "^TestLittleMemory"},
}

// policyGuards keep what policies promise, and what they may not touch.
var policyGuards = []guard{
	{"policy: the oldest makes room", "internal/wire/admit.go", `case o.evictLocked(m):`, `case false:`, wire, "^TestPolicies"},
	{"policy: the newest is dropped", "internal/wire/admit.go", `case m.drops():`, `case false:`, wire, "^TestPolicies"},
	{"policy: a key has one message", "internal/wire/admit.go", `if o.load != nil && o.load.conflate(m.Key) {`, `if false {`, wire, "^TestPolicies"},
	{"policy: only what may be dropped", "internal/wire/loose.go", `k.loose() && k.terms.mark.Policy == PolicyDropOldest`, `k.data != nil && (k.terms == nil || !k.marked())`, wire, "^TestPolicies"},
	{"policy: what is dropped was never compressed", "internal/wire/outbox.go", `raw: pack, terms`, `raw: false, terms`, wire, "^TestPoliciesUnderContext"},
	{"policy: nor is anything behind it", "internal/wire/outbox.go", `m.Policy != PolicyClose || pack && l.loose.raws > 0) {`, `m.Policy != PolicyClose) {`, wire, "^TestPoliciesUnderContext"},
	{"policy: a round is parted where it waits", "internal/wire/admit.go", `l.loose.marked == 0 || !l.writing {`, `true {`, wire, "^TestPolicies"},
	{"policy: keys are bounded", "internal/wire/outbox.go", `o.load.loose.count/lenience >= n {`, `false {`, "./hub", "^TestTooManyKeys"},
	{"policy: sheds before it closes", "internal/wire/budget.go", `b.shed != nil && b.shed(c)`, `false`, wire, "^TestPoliciesShed"},
	{"policy: what is in hand is judged when the rest is gone", "internal/wire/admit.go", `return dropped`, `return dropped && false`, wire, "^TestPoliciesShed"},
	{"policy: OnDrain only after a limit", "internal/wire/writing.go", `l.loose.filled && !o.broken`, `!o.broken`, "./hub", "^TestOnDrain"},
	{"target: Where", "hub/letter.go", `!ok && wanted != nil`, `!ok && false`, "./hub", "^TestTargets"},
	{"target: many are closed in waves", "hub/target.go", `if i > 0 && i%wave == 0 {`, `if i < 0 {`, "./hub", "^TestKickingMany"},
}
