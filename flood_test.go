package wsx_test

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// opMore is the opcode of a message's later fragments.
const opMore = 0x0

// hostile are peers that break a limit, each from several connections at once.
var hostile = map[string]struct {
	config hub.Config
	flood  func(c *wsxtest.Client) // until the connection does not take more
	status ws.Status
}{
	"2^62 bytes declared":      {flood: declaring(1 << 62), status: ws.StatusMessageTooBig},
	"2^31 bytes declared":      {flood: declaring(1 << 31), status: ws.StatusMessageTooBig},
	"a byte too many declared": {flood: declaring(64<<10 + 1), status: ws.StatusMessageTooBig},
	"empty fragments":          {flood: inFragments(""), status: ws.StatusPolicyViolation},
	"fragments of a byte":      {flood: inFragments("x"), status: ws.StatusPolicyViolation},
	"fragments up to the limit": {
		flood: inFragments(string(bytes.Repeat([]byte("x"), 1<<10))), status: ws.StatusMessageTooBig,
	},
	"fragments that never end": {
		config: hub.Config{MaxMessageAge: 200 * time.Millisecond}, status: ws.StatusPolicyViolation,
		flood: slowly(wsxtest.AppendFrame(nil, false, opText, []byte("begun")), wsxtest.AppendFrame(nil, false, opMore, nil)),
	},
	"pings": {flood: overAndOver(opPing, make([]byte, 125)), status: ws.StatusPolicyViolation},
	"pongs": {flood: overAndOver(opPong, nil), status: ws.StatusPolicyViolation},
	"messages over the rate": {
		config: hub.Config{OverRate: hub.CloseOver}, flood: overAndOver(opText, []byte("hello")), status: ws.StatusRateLimited,
	},
	"bombs": {
		config: hub.Config{Compression: hub.Compression{Enabled: true}}, status: ws.StatusMessageTooBig,
		flood: func(c *wsxtest.Client) { _ = c.Raw(bomb()) },
	},
}

// header returns the start of a text frame of so many bytes, 64 KiB at least, with a mask that changes nothing.
func header(n uint64) []byte {
	b := binary.BigEndian.AppendUint64([]byte{0x80 | opText, 0x80 | 127}, n)
	return append(b, 0, 0, 0, 0)
}

func declaring(n uint64) func(*wsxtest.Client) {
	return func(c *wsxtest.Client) { _ = c.Raw(header(n)) }
}

// overAndOver writes frames, many in one piece. The writing fails only when the server has hung up, which may be long
// after it has had enough; so it ends by itself.
func overAndOver(op wsxtest.Opcode, payload []byte) func(*wsxtest.Client) {
	const pieces = 20
	return func(c *wsxtest.Client) {
		piece := bytes.Repeat(wsxtest.AppendFrame(nil, true, op, payload), 100)
		for range pieces {
			if c.Raw(piece) != nil {
				return
			}
		}
	}
}

func inFragments(payload string) func(*wsxtest.Client) {
	return func(c *wsxtest.Client) {
		_ = c.Frame(false, opText, []byte(payload))
		_ = c.Raw(bytes.Repeat(wsxtest.AppendFrame(nil, false, opMore, []byte(payload)), 1500))
	}
}

// slowly writes a piece every 20 ms, for three seconds or until the connection takes no more.
func slowly(first, piece []byte) func(*wsxtest.Client) {
	return func(c *wsxtest.Client) {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		err := c.Raw(first)
		for n := 0; err == nil && n < 150; n++ {
			<-tick.C
			err = c.Raw(piece)
		}
	}
}

// bomb returns a compressed text message of a few KiB that holds 4 MiB of zeros.
var bomb = sync.OnceValue(func() []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestSpeed)
	_, _ = w.Write(make([]byte, 4<<20))
	_ = w.Flush()
	frame := wsxtest.AppendFrame(nil, true, opText, bytes.TrimSuffix(b.Bytes(), []byte{0, 0, 0xFF, 0xFF}))
	frame[0] |= 0x40
	return frame
})

// neighbour talks to the server until stop is closed, and has to be answered soon.
func neighbour(t *testing.T, address string, stop <-chan struct{}) {
	c := dialed(t, address)
	if c == nil {
		return
	}
	defer c.Conn().Close()
	longest := time.Duration(0)
	for n := 0; ; n++ {
		begun := time.Now()
		_ = c.Frame(true, opText, []byte(numbered(n)))
		if err := readNumbered(c, []int{n}); err != nil {
			t.Errorf("a neighbour: %v", err)
			return
		}
		longest = max(longest, time.Since(begun))
		select {
		case <-stop:
			if longest > 2*time.Second { // for a machine that is busy
				t.Errorf("a neighbour waited for %s", longest)
			}
			return
		case <-time.After(25 * time.Millisecond): // within the rate
		}
	}
}

// beside runs a flood while a neighbour talks.
func beside(t *testing.T, address string, flood func()) {
	t.Helper()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		neighbour(t, address, stop)
	}()
	flood()
	close(stop)
	<-stopped
}

// TestFloods has several connections break each limit at once: each is told so, and a neighbour goes on.
func TestFloods(t *testing.T) {
	onEach(t, func(t *testing.T, on transport) {
		for name, row := range hostile {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				row.config.CloseTimeout = time.Second
				h := echoHub(row.config)
				address := on.serve(t, h)
				beside(t, address, func() {
					crowd(20, 20, func(int) { floodOnce(t, address, row.flood, row.status) })
				})
				awaitOver(t, h)
			})
		}
	})
}

// floodOnce floods on one connection and checks how that ends.
func floodOnce(t *testing.T, address string, flood func(*wsxtest.Client), want ws.Status) {
	o := wsxtest.Options{Header: http.Header{"Sec-Websocket-Extensions": {"permessage-deflate"}}}
	c := dialed(t, address, o)
	if c == nil {
		return
	}
	flooded := make(chan struct{})
	go func() {
		defer close(flooded)
		flood(c)
	}()
	for {
		_, err := c.Read()
		if err == nil {
			continue // echoes of what was within the limit
		}
		if got := ws.StatusOf(err); got != want {
			t.Errorf("ended with %v, want %s", err, want)
		}
		break
	}
	_ = c.Conn().Close()
	<-flooded
}

// deaf connects a client that does not read, with small buffers.
func deaf(t *testing.T, address string) *wsxtest.Client {
	return dialed(t, address, wsxtest.Options{Dial: func() (net.Conn, error) {
		nc, err := net.Dial("tcp", hostOf(address))
		if err == nil {
			err = nc.(*net.TCPConn).SetReadBuffer(4 << 10)
		}
		return nc, err
	}})
}

// sendUnread has so many deaf clients send large messages, each until it is cut off.
func sendUnread(t *testing.T, address string, clients int) {
	frame := wsxtest.AppendFrame(nil, true, opText, bytes.Repeat([]byte("x"), 60<<10))
	crowd(clients, clients, func(int) {
		c := deaf(t, address)
		if c == nil {
			return
		}
		_ = c.Conn().SetWriteDeadline(time.Now().Add(10 * time.Second))
		for c.Raw(frame) == nil {
		}
	})
}

// TestUnreadEchoes has clients send and never read: they are cut as slow consumers.
func TestUnreadEchoes(t *testing.T) {
	onEach(t, func(t *testing.T, on transport) {
		const clients = 3
		ends := make(chan ws.Status, clients+1)
		h := echoHub(hub.Config{
			Rate: -1, WriteDeadline: 500 * time.Millisecond, CloseTimeout: 500 * time.Millisecond, PingInterval: -1,
			OnClose: func(_ *hub.Conn, err error) { ends <- ws.StatusOf(err) },
		})
		address := on.serve(t, h)
		beside(t, address, func() {
			sendUnread(t, address, clients)
			for range clients {
				if got := <-ends; got != ws.StatusSlowConsumer {
					t.Errorf("one that does not read ended with %s", got)
				}
			}
		})
		awaitOver(t, h)
	})
}

// TestUnreadPongs has clients ping within the limit and never read: that holds next to nothing, and hurts nobody.
func TestUnreadPongs(t *testing.T) {
	onEach(t, func(t *testing.T, on transport) {
		const clients, pings, most = 50, 40, 4 << 20
		h := echoHub()
		address := on.serve(t, h)
		before := heap()
		beside(t, address, func() {
			crowd(clients, clients, func(int) {
				if c := deaf(t, address); c != nil {
					_ = c.Raw(bytes.Repeat(wsxtest.AppendFrame(nil, true, opPing, make([]byte, 125)), pings))
				}
			})
			if after := heap(); after > before+most {
				t.Errorf("the heap grew from %d to %d KiB", before>>10, after>>10)
			}
			if got := h.Len(); got < clients {
				t.Errorf("%d are left of %d", got, clients)
			}
		})
	})
}

// TestSlowWriters has clients that begin a frame and go on with a byte now and then: what they hold is what they have
// sent, and all of it is given back.
func TestSlowWriters(t *testing.T) {
	onEach(t, func(t *testing.T, on transport) {
		const clients, most = 100, 2 << 20 // of 6 MiB that they announce
		h := echoHub(hub.Config{PingInterval: -1})
		address := on.serve(t, h)
		neighbour(t, address, closedChan()) // starts what is started once
		beside(t, address, func() {
			conns := make([]*wsxtest.Client, clients)
			for i := range conns {
				conns[i] = wsxtest.Dial(t, address)
			}
			before := heap() // the clients' own memory included
			for _, c := range conns {
				c.Raw(header(64 << 10))
			}
			tick := time.NewTicker(20 * time.Millisecond)
			defer tick.Stop()
			for range 10 {
				<-tick.C
				for _, c := range conns {
					c.Raw([]byte("x"))
				}
			}
			if after := heap(); after > before+most {
				t.Errorf("the heap grew from %d to %d KiB", before>>10, after>>10)
			}
			for _, c := range conns {
				c.Reset()
			}
		})
		awaitOver(t, h)
	})
}

// TestSlowHandshakes has clients send their requests byte by byte: the read timeout cuts them.
func TestSlowHandshakes(t *testing.T) {
	const clients = 100
	h := echoHub()
	app := newApp(fiber.Config{ReadTimeout: 500 * time.Millisecond})
	app.Use("/ws", wsx.New(wsx.Config{Hub: h, Logger: quiet}))
	addr := serve(t, app, h)
	beside(t, "ws://"+addr+"/ws", func() {
		crowd(clients, clients, func(int) {
			c := dialTCP(t, addr)
			if c == nil {
				return
			}
			defer c.Close()
			cut := make(chan struct{})
			go func() {
				defer close(cut)
				_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
				if _, err := c.Read(make([]byte, 1)); ws.StatusOf(err) == 0 && isTimeout(err) {
					t.Error("it is still there after ten seconds")
				}
			}()
			tick := time.NewTicker(50 * time.Millisecond)
			defer tick.Stop()
			for _, b := range []byte(handshake("/ws")) {
				select {
				case <-cut:
					return
				case <-tick.C:
					_, _ = c.Write([]byte{b})
				}
			}
			t.Error("the whole request was taken")
		})
	})
	if got := h.Stats().Opened; got != 1 { // the neighbour
		t.Errorf("%d connections opened", got)
	}
}

func dialTCP(t *testing.T, addr string) net.Conn {
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Error(err)
		return nil
	}
	return nc
}

func isTimeout(err error) bool {
	e, ok := err.(net.Error)
	return ok && e.Timeout()
}

// TestAReconnectLoop comes back again and again from one address: the rate of handshakes outlives the connections.
func TestAReconnectLoop(t *testing.T) {
	const loops, burst = 100, 10
	addr, h := serveEcho(t, wsx.Config{TrustedProxies: []string{"127.0.0.1"}, HandshakeRate: 0.01, HandshakeBurst: burst})
	address := "ws://" + addr + "/ws"
	beside(t, address, func() {
		o := wsxtest.Options{Header: http.Header{"X-Forwarded-For": {"192.0.2.1"}}}
		passed := 0
		for range loops {
			c, resp, err := wsxtest.TryDial(t, address, o)
			switch {
			case c != nil:
				passed++
				c.Reset()
			case resp == nil || resp.StatusCode != http.StatusTooManyRequests:
				t.Fatalf("got %v, %v", resp, err)
			}
		}
		if passed != burst {
			t.Errorf("%d handshakes passed, want %d", passed, burst)
		}
	})
	awaitOver(t, h)
}
