package conformance_test

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"
)

// limit is the longest message that an echo takes, in bytes.
const limit = 64 << 10

// echo is a small server that is right, but for its faults. Each connection has a goroutine, which reads byte by byte.
type echo struct {
	faults   map[string]bool
	compress bool
}

func (e echo) has(fault string) bool { return e.faults[fault] }

// serve serves e until the test ends, and returns its address.
func (e echo) serve(t *testing.T) string {
	t.Helper()
	var talks sync.WaitGroup
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		talks.Add(1) // before it is hijacked: Close waits until then
		defer talks.Done()
		if nc, r, compress := e.upgrade(w, r); nc != nil {
			e.talk(nc, r, compress)
		}
	}))
	t.Cleanup(func() {
		srv.Close()
		talks.Wait()
	})
	return "ws" + strings.TrimPrefix(srv.URL, "http") + "/echo"
}

// upgrade answers the handshake and says whether messages may be compressed; nil: it was refused.
func (e echo) upgrade(w http.ResponseWriter, r *http.Request) (_ net.Conn, _ *bufio.Reader, compress bool) {
	key := r.Header.Values("Sec-WebSocket-Key")
	nonce, err := base64.StdEncoding.Strict().DecodeString(strings.Join(key, ","))
	badKey := err != nil || len(nonce) != 16
	version := r.Header.Values("Sec-WebSocket-Version")
	answer, extensionsOK := e.negotiate(r.Header.Values("Sec-WebSocket-Extensions"))
	switch {
	case r.Method != http.MethodGet || !r.ProtoAtLeast(1, 1):
		w.WriteHeader(http.StatusMethodNotAllowed)
	case !lists(r.Header.Values("Upgrade"), "websocket") || !lists(r.Header.Values("Connection"), "upgrade") && !e.has("any Connection"):
		w.WriteHeader(http.StatusNotFound)
	case !slices.Equal(version, []string{"13"}) && !e.has("any version"):
		if !e.has("version not named") {
			w.Header().Set("Sec-WebSocket-Version", "13")
		}
		w.WriteHeader(http.StatusUpgradeRequired)
	case badKey && !e.has("any key"), !extensionsOK && !e.has("any grammar"):
		w.WriteHeader(http.StatusBadRequest)
	default:
		nc, rw, _ := w.(http.Hijacker).Hijack()
		_, _ = io.WriteString(nc, e.accept(strings.Join(key, ","), answer))
		return nc, rw.Reader, e.compress && answer != ""
	}
	return nil, nil, false
}

func (e echo) accept(key, extensions string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	if e.has("wrong accept") {
		sum[0]++
	}
	s := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		base64.StdEncoding.EncodeToString(sum[:]) + "\r\n"
	if extensions != "" {
		s += "Sec-WebSocket-Extensions: " + extensions + "\r\n"
	}
	if e.has("subprotocol that was not offered") {
		s += "Sec-WebSocket-Protocol: chat\r\n"
	}
	return s + "\r\n"
}

func lists(lines []string, token string) bool {
	for item := range strings.SplitSeq(strings.Join(lines, ","), ",") {
		if strings.EqualFold(strings.TrimSpace(item), token) {
			return true
		}
	}
	return false
}

// talker is one connection of an echo.
type talker struct {
	echo
	r        *bufio.Reader
	w        *bytes.Buffer // what goes out when the reader has nothing more
	conn     net.Conn
	deflates bool

	op         byte // of the message that is not whole, 0 when there is none
	compressed bool
	payload    []byte
	checked    int // how much of payload is known to be text
}

func (e echo) talk(nc net.Conn, r *bufio.Reader, compress bool) {
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(10 * time.Second))
	t := &talker{echo: e, w: new(bytes.Buffer), conn: nc, deflates: compress}
	t.r = bufio.NewReader(input{t, r})
	if t.has("greets") {
		t.send(0x81, []byte("welcome"))
		t.flush()
	}
	status, closing := 0, false
	for status == 0 && !closing {
		status, closing = t.frame()
	}
	t.end(status)
}

// input has what is to be sent go out before it waits for more.
type input struct {
	t *talker
	r *bufio.Reader
}

func (i input) Read(p []byte) (int, error) {
	if i.r.Buffered() == 0 {
		i.t.flush()
	}
	return i.r.Read(p)
}

func (t *talker) flush() {
	_, _ = t.conn.Write(t.w.Bytes())
	t.w.Reset()
}

// end sends what is left, the close frame of a violation with it, and hears the client out.
func (t *talker) end(status int) {
	if t.has("echoes lost") {
		t.w.Reset()
	}
	if status > 0 && !t.has("dropped") {
		if t.has("always 1002") {
			status = 1002
		}
		t.send(0x88, binary.BigEndian.AppendUint16(nil, uint16(status)))
	}
	if t.has("text after close") {
		t.send(0x81, []byte("late"))
	}
	t.flush()
	if t.has("left open") {
		_, _ = io.Copy(io.Discard, t.r)
		return
	}
	if half, ok := t.conn.(*net.TCPConn); ok {
		_ = half.CloseWrite()
		_ = half.SetReadDeadline(time.Now().Add(time.Second))
		_, _ = io.Copy(io.Discard, t.r)
	}
}

func (t *talker) send(first byte, payload []byte) {
	t.w.WriteByte(first)
	switch n := len(payload); {
	case n < 126 && !t.has("long lengths"):
		t.w.WriteByte(byte(n))
	case n < 1<<16:
		t.w.WriteByte(126)
		_ = binary.Write(t.w, binary.BigEndian, uint16(n))
	default:
		t.w.WriteByte(127)
		_ = binary.Write(t.w, binary.BigEndian, uint64(n))
	}
	t.w.Write(payload)
}

// frame handles one frame. It returns the status of a violation, or whether the client has closed or gone.
func (t *talker) frame() (status int, over bool) {
	var head [2]byte
	if _, err := io.ReadFull(t.r, head[:]); err != nil {
		return 0, true
	}
	op, last := head[0]&0x0f, head[0]&0x80 != 0
	if t.badHead(head, op, last) {
		return 1002, false
	}
	n, err := t.length(head[1] & 0x7f)
	switch {
	case err != nil:
		return 0, true
	case n < 0:
		return 1002, false
	case op < 8:
		return t.data(head, op, last, n)
	}
	payload := make([]byte, n)
	if !t.read(head[1]&0x80 != 0, n, func(b byte, i int) bool { payload[i] = b; return true }) {
		return 0, true
	}
	return t.control(op, payload)
}

func (t *talker) badHead(head [2]byte, op byte, last bool) bool {
	rsv := head[0] & 0x70
	if t.deflates && (op == 1 || op == 2) || t.deflates && t.has("RSV1 anywhere") {
		rsv &^= 0x40
	}
	switch {
	case rsv != 0:
		return !t.has("any reserved bit")
	case op > 2 && op < 8 || op > 10:
		return !t.has("any opcode")
	case head[1]&0x80 == 0:
		return !t.has("unmasked")
	case op >= 8 && head[1]&0x7f > 125:
		return !t.has("long control frames")
	case op >= 8 && !last:
		return !t.has("control frames in fragments")
	}
	return false
}

// length reads the further bytes of a length; -1 is one that may not be.
func (t *talker) length(short byte) (int64, error) {
	var b [8]byte
	switch short {
	case 126:
		_, err := io.ReadFull(t.r, b[6:])
		n := int64(binary.BigEndian.Uint64(b[:]))
		if n < 126 && !t.has("lengths that are not minimal") {
			n = -1
		}
		return n, err
	case 127:
		_, err := io.ReadFull(t.r, b[:])
		n := int64(binary.BigEndian.Uint64(b[:]))
		if n < 1<<16 && !t.has("lengths that are not minimal") {
			n = -1
		}
		return n, err
	}
	return int64(short), nil
}

// read passes on the n bytes of a payload; false when take says so, or there are no more.
func (t *talker) read(masked bool, n int64, take func(b byte, i int) bool) bool {
	var key [4]byte
	if masked {
		if _, err := io.ReadFull(t.r, key[:]); err != nil {
			return false
		}
	}
	for i := range int(n) {
		b, err := t.r.ReadByte()
		if err != nil || !take(b^key[i%4], i) {
			return false
		}
	}
	return true
}

func (t *talker) data(head [2]byte, op byte, last bool, n int64) (status int, over bool) {
	switch {
	case t.has("any order"):
	case op == 0 && t.op == 0, op != 0 && t.op != 0:
		return 1002, false
	}
	if op != 0 {
		t.op, t.compressed, t.payload, t.checked = op, head[0]&0x40 != 0, nil, 0
	}
	most := int64(limit)
	if t.compressed {
		most *= 2
	}
	if n > most-int64(len(t.payload)) && !t.has("no limit") && !t.has("limit when all is there") {
		return 1009, false
	}
	if n > 1<<24 {
		n = 1 << 24
	}
	wrong := false
	whole := t.read(head[1]&0x80 != 0, n, func(b byte, _ int) bool {
		t.payload = append(t.payload, b)
		wrong = t.op == 1 && !t.compressed && !t.isText(false)
		return !wrong || t.has("text checked at its end") || t.has("any text")
	})
	switch {
	case wrong && !whole:
		return 1007, false
	case !whole:
		return 0, true
	case last:
		return t.message(), false
	}
	return 0, false
}

// isText reports whether the payload is text, or the start of one.
func (t *talker) isText(complete bool) bool {
	for t.checked < len(t.payload) {
		rest := t.payload[t.checked:]
		surrogate := rest[0] == 0xed && t.has("surrogates")
		if !utf8.FullRune(rest) || surrogate && len(rest) < 3 {
			return !complete
		}
		r, size := utf8.DecodeRune(rest)
		switch {
		case surrogate:
			size = 3
		case r == utf8.RuneError && size == 1:
			return false
		}
		t.checked += size
	}
	return true
}

func (t *talker) message() (status int) {
	if t.compressed {
		if status = t.inflate(); status != 0 {
			return status
		}
	}
	switch {
	case len(t.payload) > limit && !t.has("no limit"):
		return 1009
	case t.op == 1 && !t.isText(true) && !t.has("any text"):
		return 1007
	}
	payload, first := t.payload, 0x80|t.op
	if t.has("silent") {
		t.op, t.payload = 0, nil
		return 0
	}
	if t.has("echo of the wrong kind") {
		first = 0x82
	}
	if t.has("echo cut") && len(payload) > 126 {
		payload = payload[:126]
	}
	if t.deflates {
		payload, first = t.deflate(payload), first|0x40
	}
	t.send(first, payload)
	t.op, t.payload = 0, nil
	return 0
}

func (t *talker) control(op byte, payload []byte) (status int, over bool) {
	switch op {
	case 9:
		if t.has("empty pongs") {
			payload = nil
		}
		if !t.has("no pongs") && (!t.has("no pongs within a message") || t.op == 0) {
			t.send(0x8a, payload)
		}
	case 8:
		return t.closeFrame(payload)
	}
	return 0, false
}

func (t *talker) closeFrame(payload []byte) (status int, over bool) {
	if len(payload) == 1 && !t.has("any close") {
		return 1002, false
	}
	if len(payload) > 1 {
		code := int(binary.BigEndian.Uint16(payload))
		reserved := code < 1000 || code > 4999 || code > 1014 && code < 3000 || code >= 1004 && code <= 1006
		if reserved && !t.has("any close") {
			return 1002, false
		}
		if !utf8.Valid(payload[2:]) && !t.has("any close") {
			return 1007, false
		}
	}
	switch {
	case t.has("close not answered"):
	case t.has("close answered with 1000"):
		t.send(0x88, []byte{0x03, 0xe8})
	default:
		t.send(0x88, payload[:min(len(payload), 2)])
	}
	return 0, !t.has("answers after close")
}
