package wire

import (
	"bytes"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/ws"
)

// void is a sink that wants everything and keeps nothing.
type void struct{}

func (void) message(ws.MessageType, []byte, bool, bool) {}
func (void) control(Opcode, []byte, bool) error         { return nil }
func (void) discarding() bool                           { return false }
func (void) skips(int) bool                             { return false }
func (void) wasted(int)                                 {}
func (void) inflates()                                  {}
func (void) inflated(int)                               {}
func (void) holds(int, int, time.Time)                  {}
func (void) Message(ws.MessageType, []byte, bool)       {}
func (void) Ping([]byte)                                {}
func (void) Pong([]byte)                                {}
func (void) Closing()                                   {}
func (void) Ended()                                     {}
func (void) Pause()                                     {}

// drain is a socket that takes everything and has nothing to say.
type drain struct{ net.Conn }

func (drain) Write(p []byte) (int, error)      { return len(p), nil }
func (drain) SetWriteDeadline(time.Time) error { return nil }
func (drain) Close() error                     { return nil }

// frame128 is a masked binary message of 128 bytes.
func frame128() []byte {
	b := AppendHeader(nil, true, OpBinary, 128, &[4]byte{1, 2, 3, 4})
	return append(b, make([]byte, 128)...)
}

func BenchmarkMask128(b *testing.B) {
	p := make([]byte, 128)
	b.SetBytes(int64(len(p)))
	for b.Loop() {
		Mask(p, 0x04030201)
	}
}

func BenchmarkParser128(b *testing.B) {
	p := parser{sink: void{}, rules: &rules{masked: true, maxMessage: 64 << 10, maxFragments: 1024}}
	frame := frame128()
	b.SetBytes(128)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.feed(frame, 0); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkParserRead is a read full of messages, for each of them.
func BenchmarkParserRead(b *testing.B) {
	const frames = 64
	p := parser{sink: void{}, rules: &rules{masked: true, maxMessage: 64 << 10, maxFragments: 1024}}
	read := bytes.Repeat(frame128(), frames)
	b.SetBytes(128)
	b.ReportAllocs()
	for i := 0; i < b.N; i += frames {
		if _, err := p.feed(read, 0); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSend128(b *testing.B) {
	c := New(drain{}, NewEngine(Config{OutboxMessages: 256, OutboxBytes: 1 << 20}), void{})
	p := make([]byte, 128)
	b.SetBytes(128)
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Send(ws.Binary, p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSendRound4K(b *testing.B) {
	c := New(drain{}, NewEngine(Config{OutboxMessages: 256, OutboxBytes: 1 << 20}), void{})
	p, position := make([]byte, 4096), uint64(0)
	b.SetBytes(4096)
	b.ReportAllocs()
	for b.Loop() {
		r := NewRound(position)
		r.Append(ws.Binary, p, nil)
		position = r.End()
		_, full, err := c.SendRound(r)
		if err != nil {
			b.Fatal(err)
		}
		if full { // as a hub does
			c.AwaitProgress(time.Now().Add(time.Second))
		}
		r.Release()
	}
}

// echoer sends back what comes.
type echoer struct {
	void
	conn *Conn
}

func (e *echoer) Message(t ws.MessageType, p []byte, _ bool) { _ = e.conn.Send(t, p) }

func BenchmarkEcho128(b *testing.B) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	client, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	server, err := ln.Accept()
	if err != nil {
		b.Fatal(err)
	}
	e := &echoer{}
	e.conn = New(server, NewEngine(Config{OutboxMessages: 256, WriteDeadline: 10 * time.Second, Cork: true}), e)
	over := make(chan struct{})
	go func() { defer close(over); e.conn.Run() }()
	out, in := frame128(), make([]byte, 4+128)
	b.SetBytes(128)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.Write(out); err != nil {
			b.Fatal(err)
		}
		for got := 0; got < len(in); {
			n, err := client.Read(in[got:])
			if err != nil {
				b.Fatal(err)
			}
			got += n
		}
	}
	client.Close()
	<-over
}

// TestSendDoesNotAllocate sends to a writer that rests and to one that has something in hand already.
func TestSendDoesNotAllocate(t *testing.T) {
	c := New(drain{}, NewEngine(Config{}), void{})
	p := make([]byte, 128)
	for _, burst := range []int{1, 30} {
		n := testing.AllocsPerRun(1000, func() {
			for range burst {
				_ = c.Send(ws.Binary, p)
			}
			c.settle()
		})
		if n != 0 {
			t.Errorf("got %v allocations for %d messages, want 0", n, burst)
		}
	}
}

// settle waits until the writer has ended.
func (c *Conn) settle() {
	for {
		c.out.mu.Lock()
		writing := c.out.load != nil && c.out.load.writing
		c.out.mu.Unlock()
		if !writing {
			return
		}
		runtime.Gosched()
	}
}
