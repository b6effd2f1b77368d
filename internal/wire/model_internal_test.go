package wire

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/internal/deflate"
	"github.com/fiberwsx/wsx/ws"
)

// TestModelOfTheOutboxes has messages under all policies, alone and in rounds, go to sockets that take now something
// and now nothing, and compares after each step what the outboxes and their budget say with what is in them. What
// arrives is whole and in order, and what is missing was counted.
func TestModelOfTheOutboxes(t *testing.T) {
	for range 10 {
		seed := rand.Uint64() // in its name, if it fails
		t.Run(fmt.Sprintf("%#x", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { newModel(seed).run(t, 400) })
		})
	}
}

// model knows what the outboxes of some connections were given.
type model struct {
	*rand.Rand
	engine *Engine
	drops  bool // all messages may be dropped, so few are too slow
	conns  []*Conn
	seq    uint32                      // the number of the last message
	log    uint64                      // the position behind the last round
	sums   map[uint32]uint32           // of the messages, by their numbers
	sent   map[*Conn]uint64            // messages that were accepted
	firm   map[*Conn][]uint32          // those of them that may not be missing
	latest map[*Conn]map[string]uint32 // the last ones with each key, which may not either
}

func newModel(seed uint64) *model {
	m := &model{
		Rand: rand.New(rand.NewPCG(seed, 0)), sums: make(map[uint32]uint32),
		sent: make(map[*Conn]uint64), firm: make(map[*Conn][]uint32), latest: make(map[*Conn]map[string]uint32),
	}
	m.drops = m.IntN(2) == 0
	m.engine = NewEngine(Config{
		OutboxMessages: []int{0, 8, 64, 256}[m.IntN(4)], OutboxBytes: []int{0, 20_000, 1 << 20}[m.IntN(3)],
		OutboxBudget: []int{0, 128 << 10, 1 << 20}[m.IntN(3)], WriteDeadline: 10 * time.Second, CloseTimeout: time.Second,
		Dropped: new(atomic.Uint64), Shed: new(atomic.Uint64), Conflated: new(atomic.Uint64), Cork: true,
		Compression: Compression{Level: 1, Threshold: 300, Bits: 15},
	})
	for i := range 1 + m.IntN(8) {
		c := &Conn{engine: m.engine, handler: void{}, readAt: time.Now(), detached: m.IntN(2) == 0}
		c.socket = &valve{more: make(chan struct{}), over: make(chan struct{})}
		c.out.conn, c.parser = c, parser{sink: (*events)(c), rules: &m.engine.rules}
		if i%3 == 2 {
			c.Compress(deflate.Params{ServerBits: 15, ClientBits: 15, ServerTakeover: m.IntN(2) == 0})
		}
		m.conns, m.latest[c] = append(m.conns, c), make(map[string]uint32)
		go c.Run()
	}
	return m
}

func (m *model) run(t *testing.T, steps int) {
	defer m.end()
	for step := range steps {
		m.step()
		synctest.Wait()
		if m.check(t); t.Failed() {
			t.Fatalf("after step %d", step)
		}
	}
	for _, c := range m.conns {
		c.out.uncork()
		c.socket.(*valve).open(1 << 30)
	}
	time.Sleep(time.Second)
	m.check(t)
	if used := m.engine.outboxes.used.Load(); used != 0 {
		t.Errorf("%d bytes count when all is sent", used)
	}
	m.arrived(t)
}

func (m *model) end() {
	for _, c := range m.conns {
		c.Abort()
	}
	time.Sleep(time.Minute)
}

func (m *model) step() {
	c := m.conns[m.IntN(len(m.conns))]
	switch m.IntN(12) {
	case 0, 1, 2:
		m.send(c)
	case 3, 4:
		m.round(m.conns, 1+m.IntN(3))
	case 5:
		m.round(m.conns[:1+m.IntN(len(m.conns))], 1+m.IntN(300))
	case 6, 7:
		c.socket.(*valve).open(1 + m.IntN(20_000))
	case 8:
		c.socket.(*valve).open(1 + m.IntN(200))
	case 9:
		time.Sleep(time.Duration(m.IntN(300)) * time.Millisecond)
	case 10:
		c.out.cork(m.IntN(2) == 0)
		c.Kick()
	case 11:
		_ = c.Ping(nil)
	}
}

// message returns one with its number in it, and its mark.
func (m *model) message() ([]byte, Mark) {
	m.seq++
	p := make([]byte, 4+[]int{m.IntN(60), m.IntN(60), m.IntN(1500), m.IntN(9000)}[m.IntN(4)])
	binary.BigEndian.PutUint32(p, m.seq)
	for i := range p[4:] {
		p[4+i] = byte(m.IntN(4))
	}
	m.sums[m.seq] = crc32.ChecksumIEEE(p)
	if m.drops {
		return p, Mark{Policy: []Policy{PolicyDropNewest, PolicyDropOldest}[m.IntN(2)]}
	}
	return p, Mark{Policy: Policy(m.IntN(4)), Key: string(rune('a' + m.IntN(20)))}
}

// noted notes what is to arrive of a message that c has accepted.
func (m *model) noted(c *Conn, seq uint32, mark Mark) {
	m.sent[c]++
	switch mark.Policy {
	case PolicyClose:
		m.firm[c] = append(m.firm[c], seq)
	case PolicyConflate:
		m.latest[c][mark.Key] = seq
	}
}

func (m *model) send(c *Conn) {
	p, mark := m.message()
	if c.SendMarked(ws.Binary, p, mark) == nil {
		m.noted(c, m.seq, mark)
	}
}

func (m *model) round(to []*Conn, messages int) {
	r := NewRound(m.log)
	defer r.Release()
	var marks []Mark
	first := m.seq + 1
	for range messages {
		p, mark := m.message()
		packed := m.engine.Pack(p)
		r.AppendMarked(ws.Binary, p, packed, mark)
		packed.Free()
		marks = append(marks, mark)
	}
	m.log = r.End()
	for _, c := range to {
		var err error
		if m.IntN(3) == 0 {
			_, err = c.QueueRound(r)
		} else {
			_, _, err = c.SendRound(r)
		}
		for i, mark := range marks {
			if err == nil {
				m.noted(c, first+uint32(i), mark)
			}
		}
	}
	for _, c := range m.conns {
		c.Skip(m.log)
	}
}

// check compares what each outbox and the budget count with what there is.
func (m *model) check(t *testing.T) {
	t.Helper()
	var used, little int64
	rounds, holders := make(map[*Round]int), 0
	for i, c := range m.conns {
		c.out.mu.Lock()
		if l := c.out.load; l != nil {
			if err := l.consistent(rounds); err != nil {
				t.Errorf("connection %d: %v", i, err)
			}
			used += int64(l.places)
			for k := range l.waiting() {
				if k.counted && k.round == nil {
					used += int64(k.size())
				}
			}
			if little += int64(small(l.weight)); l.weight > smallShare {
				holders++
			}
		}
		c.out.mu.Unlock()
	}
	for r, times := range rounds {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.waiting != times {
			t.Errorf("a round is counted in %d chunks, and says %d", times, r.waiting)
		}
		used += int64(r.counted)
	}
	b := &m.engine.outboxes
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.used.Load() != used {
		t.Errorf("the budget has %d bytes, the outboxes %d", b.used.Load(), used)
	}
	if b.most > 0 && (b.little.Load() != little || len(b.holders) != holders) {
		t.Errorf("the budget has %d bytes of little and %d holders, the outboxes %d and %d", b.little.Load(), len(b.holders), little, holders)
	}
}

// waiting returns the chunks of a load.
func (l *load) waiting() func(func(*chunk) bool) {
	return func(yield func(*chunk) bool) {
		if l.hand.data != nil && !yield(&l.hand) {
			return
		}
		for i := range l.queue {
			if l.queue[i].data != nil && !yield(&l.queue[i]) {
				return
			}
		}
	}
}

// consistent returns what is wrong with the counters of a load. It counts the chunks that share rounds.
func (l *load) consistent(rounds map[*Round]int) error {
	messages, bytes, weight, last := 0, 0, l.places, true
	for k := range l.waiting() {
		if messages += k.messages; k.messages > 0 {
			bytes += len(k.data)
		}
		if k.counted {
			if weight += k.size(); k.round != nil {
				rounds[k.round]++
			}
			if !last {
				return fmt.Errorf("a chunk that counts lies behind one that does not")
			}
		}
		last = k.counted || k == &l.hand
	}
	want := loose{keys: make(map[string]int), base: l.loose.base, oldest: l.loose.oldest, filled: l.loose.filled}
	other := load{queue: l.queue, loose: want}
	for i := range l.queue {
		if k := &l.queue[i]; k.data == nil {
			other.loose.gone++
		} else {
			other.index(k, i)
		}
	}
	got := l.loose
	if !maps.Equal(got.keys, other.loose.keys) {
		return fmt.Errorf("keys: %v, want %v", got.keys, other.loose.keys)
	}
	got.keys, other.loose.keys = nil, nil
	for i := range l.first {
		p := &l.first[i]
		if p.data != nil && !slices.ContainsFunc(l.queue, func(k chunk) bool { return k.data != nil && &k.data[0] == &p.data[0] }) {
			return fmt.Errorf("place %d keeps what is gone", i)
		}
	}
	switch {
	case l.messages != messages || l.bytes != bytes:
		return fmt.Errorf("%d messages of %d bytes, says %d of %d", messages, bytes, l.messages, l.bytes)
	case l.weight != weight || l.declared != weight:
		return fmt.Errorf("it counts for %d, says %d, and has declared %d", weight, l.weight, l.declared)
	case fmt.Sprint(got) != fmt.Sprint(other.loose):
		return fmt.Errorf("of what may be dropped: %+v, want %+v", got, other.loose)
	case l.array < cap(l.queue):
		return fmt.Errorf("an array of %d for %d chunks", l.array, cap(l.queue))
	}
	return nil
}

// arrived checks what the peers have got.
func (m *model) arrived(t *testing.T) {
	t.Helper()
	open, total := true, uint64(0)
	for i, c := range m.conns {
		var got []uint32
		for op, p := range m.frames(t, c) {
			if op != OpBinary {
				continue
			}
			seq := binary.BigEndian.Uint32(p)
			if got = append(got, seq); crc32.ChecksumIEEE(p) != m.sums[seq] {
				t.Errorf("connection %d: message %d is damaged", i, seq)
			}
		}
		if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
			t.Errorf("connection %d: out of order: %v", i, got)
		}
		total += m.sent[c] - uint64(len(got))
		if c.Cause() != nil {
			open = false
			continue
		}
		for _, seq := range m.firm[c] {
			if _, ok := slices.BinarySearch(got, seq); !ok {
				t.Errorf("connection %d: message %d is missing", i, seq)
			}
		}
		for key, seq := range m.latest[c] {
			if _, ok := slices.BinarySearch(got, seq); !ok {
				t.Errorf("connection %d: message %d with key %s is missing", i, seq, key)
			}
		}
	}
	if m.drops && !open && m.engine.OutboxBudget == 0 {
		t.Error("one was too slow for messages that may be dropped, without a budget")
	}
	if counted := m.engine.Shed.Load() + m.engine.Conflated.Load(); open && counted != total {
		t.Errorf("%d messages have not arrived, %d were counted", total, counted)
	}
}

// frames returns what the peer of c has got; what comes last may be cut off.
func (m *model) frames(t *testing.T, c *Conn) iter.Seq2[Opcode, []byte] {
	peer := deflate.NewSession(deflate.Params{ClientBits: 15, ClientTakeover: true})
	return func(yield func(Opcode, []byte) bool) {
		for b := c.socket.(*valve).taken(); begins(b); b = b[frameLen(b):] {
			op, p := unframe(b[:frameLen(b)])
			if op&compressed != 0 {
				var whole bytes.Buffer
				if err := peer.Inflate(&whole, append(bytes.Clone(p), deflate.Tail...)); err != nil {
					t.Errorf("inflating: %v", err)
					return
				}
				op, p = op&^compressed, whole.Bytes()
			}
			if !yield(op, p) {
				return
			}
		}
	}
}

// begins reports whether b begins with a whole frame.
func begins(b []byte) bool {
	header := append(bytes.Clone(b[:min(len(b), 10)]), bytes.Repeat([]byte{0x7f}, 10)...) // what is missing is long
	return len(b) > 1 && len(b) >= frameLen(header)
}

// valve is a socket that takes what it is told to.
type valve struct {
	mu   sync.Mutex
	got  []byte
	room int
	more chan struct{} // closed when there is more room
	over chan struct{} // closed with the socket
	once sync.Once
}

func (v *valve) open(n int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.room += n
	close(v.more)
	v.more = make(chan struct{})
}

func (v *valve) taken() []byte {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.got
}

func (v *valve) tryWrite(p []byte) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	n := min(len(p), v.room)
	v.got, v.room = append(v.got, p[:n]...), v.room-n
	return n
}

func (v *valve) write(_ *Conn, p []byte, deadline time.Time) (int, error) {
	late := time.NewTimer(time.Until(deadline))
	defer late.Stop()
	for {
		v.mu.Lock()
		more := v.more
		v.mu.Unlock()
		select {
		case <-v.over:
			return 0, io.ErrClosedPipe
		default:
		}
		if n := v.tryWrite(p); n > 0 {
			return n, nil
		}
		select {
		case <-more:
		case <-v.over:
		case <-late.C:
			return 0, os.ErrDeadlineExceeded
		}
	}
}

func (v *valve) takes() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.room > 0
}

func (v *valve) ready() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.room >= smallChunk
}

func (v *valve) run(c *Conn, _ bool) error {
	c.wait()
	<-v.over
	return io.ErrClosedPipe
}

func (v *valve) read([]byte) (int, error) {
	<-v.over
	return 0, io.ErrClosedPipe
}

func (v *valve) reads() bool         { return false }
func (v *valve) delivered() bool     { return true }
func (v *valve) finishWriting() bool { return true }
func (v *valve) release(*Conn)       {}
func (v *valve) close()              { v.once.Do(func() { close(v.over) }) }
