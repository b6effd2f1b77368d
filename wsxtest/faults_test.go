package wsxtest_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/wsxtest"
)

// piece is what one read returned, and how long after the start.
type piece struct {
	bytes string
	at    time.Duration
}

// pieces reads until the end of the stream, and returns what each read gave; err is how it ended.
func pieces(nc net.Conn) (all []piece, err error) {
	begun := time.Now()
	b := make([]byte, 1000)
	for {
		n, err := nc.Read(b)
		if n > 0 {
			all = append(all, piece{string(b[:n]), time.Since(begun)})
		}
		if err != nil {
			return all, err
		}
	}
}

// through sends "0123456789" through a pipe with faults, ends it, and returns the pieces that came.
func through(t *testing.T, f wsxtest.Faults) []piece {
	t.Helper()
	client, server := net.Pipe()
	defer server.Close()
	writer, reader := client, server
	if f.Reading {
		reader = wsxtest.Faulty(server, f)
	} else {
		writer = wsxtest.Faulty(client, f)
	}
	done := make(chan string)
	go func() {
		n, err := writer.Write([]byte("0123456789"))
		_ = writer.Close()
		done <- fmt.Sprint(n, err)
	}()
	all, err := pieces(reader)
	want(t, "end", err, io.EOF)
	want(t, "written", <-done, "10 <nil>")
	return all
}

func TestPieces(t *testing.T) {
	const ms = time.Millisecond
	for name, row := range map[string]struct {
		faults wsxtest.Faults
		want   []piece
	}{
		"none":       {wsxtest.Faults{}, []piece{{"0123456789", 0}}},
		"chunks":     {wsxtest.Faults{ChunkSize: 4}, []piece{{"0123", 0}, {"4567", 0}, {"89", 0}}},
		"splits":     {wsxtest.Faults{SplitAt: []int64{9, 0, 3, 77, -1}}, []piece{{"012", 0}, {"345678", 0}, {"9", 0}}},
		"delay":      {wsxtest.Faults{Delay: 5 * ms, SplitAt: []int64{2}}, []piece{{"01", 5 * ms}, {"23456789", 10 * ms}}},
		"throttle":   {wsxtest.Faults{Throttle: 40}, []piece{{"0123", 0}, {"4567", 100 * ms}, {"89", 200 * ms}}},
		"a slow one": {wsxtest.Faults{Throttle: 4, SplitAt: []int64{1}}, slow()},
		"both": {
			wsxtest.Faults{Throttle: 50, Delay: 7 * ms},
			[]piece{{"01234", 7 * ms}, {"56789", 114 * ms}},
		},
	} {
		for _, row.faults.Reading = range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, reading %t", name, row.faults.Reading), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					if got := through(t, row.faults); !slices.Equal(got, row.want) {
						t.Errorf("got %v, want %v", got, row.want)
					}
				})
			})
		}
	}
}

// slow returns ten pieces of one byte, four a second.
func slow() (all []piece) {
	for i := range 10 {
		all = append(all, piece{fmt.Sprint(i), time.Duration(i) * time.Second / 4})
	}
	return all
}

// TestThrottleOverWrites checks that the rate holds over many writes.
func TestThrottleOverWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, server) }()
		nc := wsxtest.Faulty(client, wsxtest.Faults{Throttle: 1000})
		begun := time.Now()
		for range 50 {
			_, err := nc.Write(make([]byte, 100))
			must(t, err)
		}
		want(t, "5,000 bytes, the last 100 at once", time.Since(begun), 4900*time.Millisecond)
		must(t, nc.Close())
		want(t, "a write behind the end", writeError(nc), true)
	})
}

// writeError reports whether a write fails as one to a closed connection.
func writeError(nc net.Conn) bool {
	_, err := nc.Write([]byte("x"))
	return errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, syscall.EPIPE)
}

func TestStall(t *testing.T) {
	for _, after := range []int64{-1, 4} {
		synctest.Test(t, func(t *testing.T) {
			client, server := net.Pipe()
			got := make(chan []piece, 1)
			go func() { all, _ := pieces(server); got <- all }()
			nc := wsxtest.Faulty(client, wsxtest.Faults{StallAfter: after})
			begun := time.Now()
			must(t, nc.SetWriteDeadline(begun.Add(3*time.Second)))
			n, err := nc.Write([]byte("0123456789"))
			want(t, "written", n, max(0, int(after)))
			want(t, "error", err, os.ErrDeadlineExceeded)
			want(t, "after", time.Since(begun), 3*time.Second)

			must(t, nc.SetDeadline(time.Time{}))
			time.AfterFunc(time.Hour, func() { _ = nc.SetWriteDeadline(time.Now()) }) // one that comes while it waits
			_, err = nc.Write([]byte("x"))
			want(t, "error", err, os.ErrDeadlineExceeded)
			want(t, "after", time.Since(begun), time.Hour+3*time.Second)

			must(t, nc.SetDeadline(time.Time{}))
			time.AfterFunc(time.Hour, func() { _ = nc.Close() })
			_, err = nc.Write([]byte("x"))
			want(t, "error", err, net.ErrClosed)
			if all := <-got; len(all) > 1 || len(all) == 1 && all[0].bytes != "0123" {
				t.Errorf("got %v", all)
			}
		})
	}
}

func TestStallOfReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		defer client.Close()
		nc := wsxtest.Faulty(server, wsxtest.Faults{Reading: true, StallAfter: 2})
		go func() { _, _ = client.Write([]byte("0123456789")) }()
		b := make([]byte, 10)
		n, err := nc.Read(b)
		must(t, err)
		want(t, "first", string(b[:n]), "01")
		must(t, nc.SetReadDeadline(time.Now().Add(time.Second)))
		_, err = nc.Read(b)
		want(t, "then", err, os.ErrDeadlineExceeded)
		must(t, nc.Close())
	})
}

// TestLoss checks that what vanishes vanishes in silence, and that the other direction goes on.
func TestLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		nc := wsxtest.Faulty(client, wsxtest.Faults{LoseAfter: 4, StallAfter: 5, TruncateAfter: 6})
		got := make(chan []piece, 1)
		go func() {
			_, _ = server.Write([]byte("hello"))
			all, _ := pieces(server)
			got <- all
		}()
		b := make([]byte, 5)
		_, err := io.ReadFull(nc, b)
		must(t, err)
		want(t, "the other direction", string(b), "hello")
		for range 3 {
			n, err := nc.Write([]byte("0123456789"))
			must(t, err)
			want(t, "written", n, 10)
		}
		synctest.Wait()
		must(t, nc.Close())
		if all := <-got; len(all) != 1 || all[0].bytes != "0123" {
			t.Errorf("got %v", all)
		}
	})
}

func TestLossOfReads(t *testing.T) {
	client, server := net.Pipe()
	nc := wsxtest.Faulty(server, wsxtest.Faults{Reading: true, LoseAfter: 4})
	go func() {
		for range 5 {
			_, _ = client.Write([]byte("0123456789"))
		}
		_ = client.Close()
	}()
	all, err := pieces(nc)
	want(t, "end", err, io.EOF)
	if len(all) != 1 || all[0].bytes != "0123" {
		t.Errorf("got %v", all)
	}
	_ = nc.Close()
}

// sockets returns both ends of a TCP connection.
func sockets(t *testing.T) (client, server net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer ln.Close()
	client, err = net.Dial("tcp", ln.Addr().String())
	must(t, err)
	server, err = ln.Accept()
	must(t, err)
	t.Cleanup(func() { _ = client.Close(); _ = server.Close() })
	return client, server
}

// ends are the ways in which a fault ends a stream, and what a peer on a real socket sees of it.
var ends = map[string]struct {
	faults func(after int64) wsxtest.Faults
	end    error
	half   bool // the other direction goes on
}{
	"truncate":   {func(n int64) wsxtest.Faults { return wsxtest.Faults{TruncateAfter: n} }, io.EOF, false},
	"reset":      {func(n int64) wsxtest.Faults { return wsxtest.Faults{ResetAfter: n} }, syscall.ECONNRESET, false},
	"half close": {func(n int64) wsxtest.Faults { return wsxtest.Faults{HalfCloseAfter: n} }, io.EOF, true},
}

func TestEnds(t *testing.T) {
	for name, row := range ends {
		for _, after := range []int64{-1, 4, 10} {
			for _, layers := range []int{1, 2} {
				t.Run(fmt.Sprintf("%s after %d, %d layers", name, after, layers), func(t *testing.T) {
					client, server := sockets(t)
					nc := wsxtest.Faulty(client, row.faults(after))
					if layers == 2 {
						nc = wsxtest.Faulty(wsxtest.Faulty(client, wsxtest.Faults{Reading: true, ChunkSize: 1}), row.faults(after))
					}
					if after > 0 {
						n, err := nc.Write([]byte("0123456789"))
						must(t, err)
						want(t, "written", n, 10)
					}
					want(t, "the next write fails", writeError(nc), true)
					all, err := pieces(server)
					if !errors.Is(err, row.end) {
						t.Errorf("the peer's stream ended with %v, want %v", err, row.end)
					}
					if row.end == io.EOF { // a reset may overtake what was sent
						want(t, "pieces", fmt.Sprint(len(all)), fmt.Sprint(min(1, max(0, after))))
					}
					if row.half {
						_, err = server.Write([]byte("still"))
						must(t, err)
						b := make([]byte, 5)
						_, err = io.ReadFull(nc, b)
						must(t, err)
						want(t, "the other direction", string(b), "still")
					}
				})
			}
		}
	}
}

func TestEndsOfReads(t *testing.T) {
	for name, row := range ends {
		t.Run(name, func(t *testing.T) {
			client, server := sockets(t)
			f := row.faults(4)
			f.Reading = true
			nc := wsxtest.Faulty(client, f)
			_, err := server.Write([]byte("0123456789"))
			must(t, err)
			b := make([]byte, 10)
			n, err := nc.Read(b)
			must(t, err)
			want(t, "first", string(b[:n]), "0123")
			if row.half {
				_, err := io.ReadFull(nc, b[:6])
				must(t, err)
				want(t, "the rest", string(b[:6]), "456789")
			} else if _, err := nc.Read(b); !errors.Is(err, net.ErrClosed) {
				t.Errorf("then: got %v", err)
			}
			if _, err := pieces(server); row.half && err != io.EOF || !row.half && !errors.Is(err, syscall.ECONNRESET) && err != io.EOF {
				t.Errorf("the peer's stream ended with %v", err)
			}
		})
	}
}

// TestEndsOfAPipe: a pipe knows no reset, and no half.
func TestEndsOfAPipe(t *testing.T) {
	for _, f := range []wsxtest.Faults{{ResetAfter: 1}, {TruncateAfter: 1}} {
		client, server := net.Pipe()
		got := make(chan string, 1)
		go func() { all, err := pieces(server); got <- fmt.Sprint(len(all), err) }()
		_, err := wsxtest.Faulty(client, f).Write([]byte("0123456789"))
		must(t, err)
		want(t, "the peer's pieces and end", <-got, "1 EOF")
	}
	defer func() {
		if s := fmt.Sprint(recover()); !strings.Contains(s, "CloseWrite") || !strings.Contains(s, "net.pipe") {
			t.Errorf("got %s, want a panic that names the method and the type", s)
		}
	}()
	client, _ := net.Pipe()
	wsxtest.Faulty(wsxtest.Faulty(client, wsxtest.Faults{}), wsxtest.Faults{HalfCloseAfter: 1})
}

// TestFaultsOfTLS checks that a reset reaches the socket below, of a client too.
func TestFaultsOfTLS(t *testing.T) {
	left := make(chan error, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		nc, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		_, _ = io.WriteString(nc, "HTTP/1.1 101 Switching Protocols\r\n"+accept(r)+"\r\n")
		_, err = pieces(nc)
		_ = nc.Close()
		left <- err
	}))
	server.StartTLS()
	t.Cleanup(server.Close)
	address := strings.Replace(server.URL, "http", "ws", 1)
	c := wsxtest.Dial(t, address, wsxtest.Options{Faults: []wsxtest.Faults{{ResetAfter: 3}}})
	must(t, c.Raw([]byte("0123456789")))
	if err := <-left; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("ResetAfter: the server read %v, want a reset", err)
	}
	wsxtest.Dial(t, address).Reset()
	if err := <-left; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("Reset: the server read %v, want a reset", err)
	}
}

// TestOptionsFaults checks that they begin with the frames, in both directions, and that what came with the handshake's
// answer is not lost.
func TestOptionsFaults(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(upgrade))
	t.Cleanup(server.Close)
	address := strings.Replace(server.URL, "http", "ws", 1)
	c := wsxtest.Dial(t, address+"/hello", wsxtest.Options{Faults: []wsxtest.Faults{
		{ChunkSize: 1},
		{Reading: true, ChunkSize: 1, TruncateAfter: 7 + 3 + 1},
		{HalfCloseAfter: 7 + 8},
	}})
	want(t, "message that came with the answer", c.ReadText(), "hello")
	c.SendText("x")
	want(t, "echo", c.ReadText(), "x")
	c.SendText("yy")
	if _, err := c.ReadFrame(); err == nil {
		t.Error("got a frame of which only one byte comes")
	}
	if err := c.Raw([]byte("z")); err == nil {
		t.Error("a write behind the half close succeeds")
	}
}

// ExampleFaulty has a client whose stream ends in the middle of a frame.
func ExampleFaulty() {
	client, server := net.Pipe()
	go func() {
		nc := wsxtest.Faulty(client, wsxtest.Faults{ChunkSize: 4, TruncateAfter: 10})
		_, _ = nc.Write(wsxtest.AppendFrame(nil, true, 1, []byte("Hello, all")))
	}()
	b := make([]byte, 100)
	for {
		n, err := server.Read(b)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(n, "bytes")
	}
	// Output:
	// 4 bytes
	// 4 bytes
	// 2 bytes
	// EOF
}
